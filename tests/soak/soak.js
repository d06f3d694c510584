// soak.js BUILD: rounds of storm and calm. In a storm peers join, leave, are
// killed, held and moved, lines are cut and lose packets, nodes of the DHT come
// and go, and the two drives (one of ours, one of theirs) grow. In the calm
// that follows, everything that lives must come to hold the same.
//
// What must never happen: a peer that is well and has not moved on for
// STUCK_MS while another one that is well has more (but see rouse()); a
// connection that stays counted when its peer is long gone; memory or
// descriptors that grow with time; a complaint about a peer, because all are
// honest; an end that is not clean. There are no other times in here: the
// machine may be busy.
'use strict'
const fs = require('fs')
const path = require('path')
const { main, check, same, bin, run, Random } = require('../interop/common')
const { randomBytes } = require('../interop/net-js-peer')
const lab = require('./lab')
const peers = require('./peers')
const { sleep, trouble } = peers

const SECONDS = Number(process.env.SOAK_SECONDS || 1800)
const SEED = Number(process.env.SEED || 1 + Date.now() % 1000000)
const STUCK_MS = 60000
const GHOST_MS = 120000
const HOLD_LONG_MS = 600000 // one peer, in a run that is long enough
const NODES = 6
const PORT = 49737
const FOLLOWERS = 4 // of each kind
const CROWD_ROUND = 1
const CROWD = 1000
const CROWD_HOSTS = 20
const LOSS_IN_CALM = 50 // of 1,000
const MEMORY_GROWTH = 16 << 20
const MEMORY_MOST = 256 << 20
const FILES_MOST = 200

const began = peers.began = Date.now()
const rest = () => began + SECONDS * 1000 - Date.now()
const random = new Random(SEED)
const between = (a, b) => a + random.below(b - a)
const seconds = (ms) => (ms / 1000).toFixed(1) + ' s'

function say (...words) {
  if (process.env.VERBOSE) console.error(seconds(Date.now() - began), ...words)
}

class Stop extends Error {}

class Soak {
  constructor (work) {
    this.work = work
    this.targets = new Map() // by the drive's key: what it has come to
    this.busy = new Set() // something is being done to these
    this.count = {}
    this.settled = { ours: [], theirs: [] } // ms from a new length to all of it
    this.arrived = new Map()
    this.stuck = { ours: 0, theirs: 0 } // ms without progress
    this.steadies = []
    this.files = 0
    this.roused = 0
  }

  // -- who is there ----------------------------------------------------------

  async openNodes () {
    lab.open(NODES)
    const at = (i) => lab.node(i) + ':' + PORT
    this.bootstrap = [at(1), at(2)].join(',')
    this.nodes = []
    for (let i = 1; i <= NODES; i++) {
      const others = [1, 2].filter((o) => o !== i && o <= Math.max(1, i - 1)).map(at)
      const node = new peers.Node(i % 2 ? 'ours' : 'theirs', lab.node(i), PORT, others)
      await node.start()
      if (i === 1) node.others = [at(2)] // who starts again is not the first
      this.nodes.push(node)
    }
  }

  async seeder (kind, name) {
    const place = new lab.Place()
    await place.open()
    const s = new kind(name, place, path.join(this.work, name), this.bootstrap) // eslint-disable-line new-cap
    this.seeders.push(s)
    return s
  }

  async openSeeders () {
    this.seeders = []
    this.writer = await this.seeder(peers.OurWriter, 'our-writer')
    this.theirs = await this.seeder(peers.JsSeeder, 'their-writer')
    const ours = this.writer.open()
    this.theirs.links = ['new']
    this.theirs.start()
    const link = await new Promise((resolve) => {
      this.theirs.answer = { tag: 'seeding', resolve: (d) => resolve(d.link) }
    })
    this.links = [ours, link]
    const keys = this.links.map((l) => l.replace('pear://', ''))
    for (const k of keys) this.targets.set(k, { length: 0, bytes: 0 })
    this.writer.keys = [keys[0]]
    this.theirs.keys = [keys[1]]
    await this.theirs.end() // who looks is there first
    for (let i = 0; i < FOLLOWERS; i++) {
      for (const [kind, name] of [[peers.OurSeeder, 'ours-'], [peers.JsSeeder, 'theirs-']]) {
        const f = await this.seeder(kind, name + i)
        f.links = this.links
        f.keys = keys
        // an eighth of its places is not for strangers
        if (f.name === 'ours-0') f.options = ['--max-connections', String(2 * CROWD)]
        f.start()
      }
    }
    this.writer.start()
    this.theirs.start()
    const place = new lab.Place()
    await place.open()
    this.strangers = new peers.Crowd(place, CROWD_HOSTS, this.bootstrap)
    this.crowds = []
    // These live from the beginning to the end, and are measured.
    this.steady = this.seeders.find((s) => s.name === 'ours-0')
    this.steadies = [this.steady, this.nodes[2]]
  }

  // -- growth ----------------------------------------------------------------

  grown (link, to) {
    if (!to) return
    const t = this.targets.get(link.replace('pear://', ''))
    if (to.length < t.length) throw new Error(link + ' went back to ' + to.length)
    if (to.length === t.length) return
    Object.assign(t, to, { at: Date.now() })
    say('grown', link.slice(7, 12), JSON.stringify(t))
  }

  size () {
    return [between(0, 2000), between(2000, 200000), between(2000, 200000), between(200000, 3000000)][random.below(4)]
  }

  async stage () {
    if (this.staging) return
    this.staging = true
    for (let i = between(1, 5); i > 0; i--) {
      const file = path.join(this.writer.folder, 'file-' + random.below(60))
      if (random.below(6) === 0) fs.rmSync(file, { force: true })
      else fs.writeFileSync(file, Buffer.concat([...randomBytes(this.size(), ++this.files)]))
    }
    this.grown(this.links[0], await this.writer.stage(random.below(5) ? undefined : between(5, 300)))
    this.staging = false
  }

  async put () {
    if (this.putting || !this.theirs.healthy() || this.busy.has(this.theirs)) return
    this.putting = true
    this.grown(this.links[1], await this.theirs.ask('put', 'put',
      { path: '/file-' + random.below(60), size: this.size(), seed: ++this.files }))
    this.putting = false
  }

  // -- misfortune ------------------------------------------------------------

  // A victim that nothing else happens to, spared the one that is measured.
  async to (name, what) {
    const free = this.seeders.filter((s) => !this.busy.has(s) && s !== this.steady)
    if (!free.length) return
    const s = random.pick(free)
    this.busy.add(s)
    say(name, s.name)
    await what(s)
    s.disturb()
    this.busy.delete(s)
  }

  async down (s, how, ms) {
    if (how === 'kill') await s.kill()
    else await s.end(random.below(2) ? 'SIGTERM' : 'SIGINT')
    await sleep(ms)
  }

  // Name, weight, what is done.
  actions () {
    const again = (how, ms) => async (s) => {
      await this.down(s, how, ms)
      s.start()
    }
    return [
      ['stage', 12, () => this.stage()],
      ['put', 10, () => this.put()],
      ['kill', 6, () => this.to('kill', again('kill', between(0, 8000)))],
      ['restart', 5, () => this.to('restart', again('end', between(0, 3000)))],
      ['leave', 2, () => this.to('leave', again('end', between(10000, 40000)))],
      ['join', 2, () => this.join()],
      ['hold', 4, () => this.to('hold', (s) => this.hold(s, between(500, 45000)))],
      ['move', 5, () => this.to('move', (s) => s.place.move())],
      ['cut', 5, () => this.to('cut', (s) => this.cut(s, between(200, 25000)))],
      ['loss', 4, () => this.loss(random.pick([0, 5, 10, 50, 100, 200]))],
      ['node', 3, () => this.node(between(0, 15000))],
      ['crowd', 1, () => this.crowd(between(20, 100))]
    ]
  }

  async join () {
    await this.to('join anew', async (s) => {
      if (s === this.writer || s === this.theirs) return
      await this.down(s, random.pick(['kill', 'end']), 0)
      s.forget()
      s.start()
    })
  }

  async hold (s, ms) {
    s.hold(true)
    await sleep(ms)
    s.hold(false)
  }

  async cut (s, ms) {
    s.disturb()
    s.place.cut(true)
    await sleep(ms)
    s.place.cut(false)
  }

  loss (permille) {
    const s = random.pick(this.seeders)
    s.place.lose(permille)
  }

  // Strangers at a seeder of ours: all are let in, all are gone at once.
  async crowd (count) {
    if (this.crowded || !this.steady.key) return
    this.crowded = true
    const before = Date.now()
    const { open, failed } = await this.strangers.start(this.steady.key, count)
    const took = seconds(Date.now() - before)
    say('crowd', open, 'of', count, 'in', took, failed.join(' '))
    if (failed.length && !this.steady.place.loss) throw new Error('of a crowd of ' + count + ' only ' + open + ' were let in: ' + failed)
    await sleep(1000)
    await this.strangers.kill()
    this.crowds.push(open + ' strangers in ' + took)
    this.crowded = false
  }

  // One at a time, so that something is left of the DHT.
  async node (ms) {
    if (this.noding) return
    this.noding = true
    const n = random.pick(this.nodes.filter((n) => !this.steadies.includes(n)))
    say('node', n.name)
    const how = random.below(3)
    if (how === 0) await this.hold(n, ms)
    else {
      if (how === 1 && n.kind === 'ours') await n.end()
      else await n.kill()
      await sleep(ms)
      await n.start()
    }
    this.noding = false
  }

  async storm (until) {
    const actions = this.actions()
    const sum = actions.reduce((n, [, weight]) => n + weight, 0)
    const doing = []
    while (Date.now() < until) {
      let w = random.below(sum)
      const [name, , act] = actions.find(([, weight]) => (w -= weight) < 0)
      this.count[name] = (this.count[name] || 0) + 1
      const done = Promise.resolve(act()).catch((err) => trouble.push(name + ': ' + err.stack))
      doing.push(done)
      await this.watching(sleep(between(100, 2500)))
    }
    await this.watching(Promise.all(doing))
  }

  async watching (promise) {
    let over = false
    const end = () => { over = true }
    promise.then(end, end)
    while (!over) {
      this.watch()
      await sleep(100)
    }
    return promise
  }

  // -- what must hold --------------------------------------------------------

  watch () {
    const now = Date.now()
    if (trouble.length) throw new Stop(trouble.join('\n'))
    if (now - (this.sampled || 0) > 2000) {
      this.sampled = now
      for (const r of [...this.seeders, ...this.nodes]) r.sample()
    }
    for (const s of this.seeders) {
      if (!s.healthy() || this.busy.has(s)) continue
      for (const key of s.keys) this.watchOne(s, key, now)
      this.arrive(s, now)
    }
    if (this.writer.healthy() && !this.busy.has(this.writer)) this.watchWriter(now)
  }

  // Its seeder must notice what is staged beside it.
  watchWriter (now) {
    const t = this.targets.get(this.writer.keys[0])
    const h = this.writer.have.get(this.writer.keys[0])
    if (t.length > (h ? h.length : 0) && now - Math.max(t.at, this.writer.disturbed) > STUCK_MS) {
      throw new Stop(this.writer.name + ' did not notice a new length of its own drive: ' + JSON.stringify([t, h]))
    }
  }

  // Who has more, and for how long all three were true: that he has, that
  // both are well, that nothing came.
  watchOne (s, key, now) {
    const h = s.have.get(key) || { length: 0, bytes: 0, complete: false, moved: 0 }
    const more = this.seeders.filter((o) => o !== s && o.healthy() && !this.busy.has(o) && o.compare(key, h) > 0)
    const since = more.map((o) => Math.max(s.disturbed, o.disturbed, h.moved, o.have.get(key).moved))
    const longest = Math.max(0, ...since.map((t) => now - t))
    if (longest > this.stuck[s.kind]) this.stuck[s.kind] = longest
    if (longest > STUCK_MS / 6 && now - (s.told || 0) > STUCK_MS / 6) {
      s.told = now
      say('slow:', s.name, key.slice(0, 5), seconds(longest), JSON.stringify(h), more.map((o) => o.name).join(' '))
    }
    if (longest > STUCK_MS && s.kind === 'theirs' && !s.connections) this.rouse(s)
    else if (longest > STUCK_MS) {
      throw new Stop(s.name + ' has not moved on for ' + seconds(longest) + ' with ' + JSON.stringify(h) +
        ' of ' + key + '; more have ' + more.map((o) => o.name).join(' '))
    }
  }

  // The reference looks for others every ten minutes, and gives up those it
  // knew after four attempts: one whose line was cut at the wrong moment stays
  // alone. It is started again, as its user would do, and counted.
  async rouse (s) {
    this.roused++
    say('alone:', s.name)
    this.busy.add(s)
    await s.kill()
    s.start()
    this.busy.delete(s)
  }

  // Nothing is cut or away any more when a storm is over.
  heal () {
    for (const s of this.seeders) {
      if (s.place.loss > LOSS_IN_CALM) s.place.lose(LOSS_IN_CALM)
    }
  }

  has (s, key, t) {
    const h = s.have.get(key)
    return h && h.length === t.length && h.bytes === t.bytes && h.complete
  }

  equal (s) {
    return s.keys.every((key) => this.has(s, key, this.targets.get(key)))
  }

  // How long a new length took to everybody who was there.
  arrive (s, now) {
    for (const key of s.keys) {
      const t = this.targets.get(key)
      const name = s.name + key
      if (this.arrived.get(name) === t.length || !this.has(s, key, t)) continue
      this.arrived.set(name, t.length)
      if (t.at > s.disturbed) this.settled[s.kind].push(now - t.at)
    }
  }

  // What is counted as a connection, and nobody is there.
  ghosts () {
    if (this.crowded) return []
    const alive = this.seeders.filter((s) => s.process).length - 1
    return this.seeders.filter((s) => s.kind === 'ours' && !this.busy.has(s) && s.connections > alive)
  }

  async calm () {
    this.heal()
    // A stage that was killed is repeated: the drive says where it is.
    this.grown(this.links[0], await this.writer.stage())
    const at = Date.now()
    const waiting = () => this.seeders.filter((s) => !s.late && (this.busy.has(s) || !this.equal(s)))
    while (waiting().length) {
      this.watch()
      await sleep(100)
      if (Date.now() - at > 10 * STUCK_MS) throw new Stop('not equal: ' + waiting().map((s) => s.name))
    }
    say('equal after', seconds(Date.now() - at))
    for (const end = Date.now() + GHOST_MS; this.ghosts().length && Date.now() < end;) {
      this.watch()
      await sleep(200)
    }
    const ghosts = this.ghosts()
    if (ghosts.length) throw new Stop('connections to nobody: ' + ghosts.map((s) => s.name + ' ' + s.connections))
  }

  // In the calm, so that nothing else is to blame.
  async flood () {
    this.flooded = true
    for (const s of [this.steady, this.strangers]) s.place.lose(0)
    await this.watching(this.crowd(CROWD))
    await this.calm()
    // what so many needed at a time is kept for the next ones
    for (const r of this.steadies) r.from = r.samples.length
  }

  // Held for so long that everybody has given it up.
  async holdLong () {
    const s = this.seeders.find((s) => s.name === 'ours-1')
    this.busy.add(s)
    s.late = true
    await sleep(60000)
    s.hold(true)
    await sleep(HOLD_LONG_MS)
    s.hold(false)
    s.late = false
    this.busy.delete(s)
  }

  async run () {
    await this.openNodes()
    await this.openSeeders()
    this.rounds = 0
    if (SECONDS * 1000 > HOLD_LONG_MS * 2) this.holdLong().catch((err) => trouble.push(err.stack))
    while (rest() > 0) {
      const until = Math.min(Date.now() + between(15000, 75000), began + SECONDS * 1000)
      await this.storm(until)
      await this.calm()
      if (this.rounds++ >= CROWD_ROUND && rest() > STUCK_MS && !this.flooded) await this.flood()
      const steady = this.steady.samples[this.steady.samples.length - 1]
      say('round', this.rounds, JSON.stringify(this.count), JSON.stringify(steady))
    }
  }

  // -- the end ---------------------------------------------------------------

  // Each core is the same wherever it is.
  async compare () {
    const all = new Map()
    for (const s of this.seeders.filter((s) => s.kind === 'theirs')) all.set(s, await s.hashes())
    for (const s of this.seeders) await s.end()
    for (const s of this.seeders.filter((s) => s.kind === 'ours')) {
      run(bin('pear-cores'), ['--storage', s.dir, '--json'])
      all.set(s, await s.hashes())
    }
    const truth = { ...all.get(this.writer), ...all.get(this.theirs) }
    check(Object.keys(truth).length === 4, 'two drives, two cores each')
    for (const [s, cores] of all) {
      const own = s === this.writer || s === this.theirs ? 2 : 4
      check(Object.keys(cores).length === own, s.name + ' has ' + own + ' cores')
      for (const [key, c] of Object.entries(cores)) {
        same(c, { ...truth[key], contiguous: truth[key].length }, s.name + ': core ' + key)
      }
    }
  }

  measured () {
    for (const r of this.steadies) {
      const samples = r.samples.slice(r.from || 0)
      const n = samples.length
      const part = (from, to, what) => {
        const list = samples.slice(Math.floor(n * from), Math.ceil(n * to)).map((s) => s[what]).sort((a, b) => a - b)
        return list[Math.floor(list.length / 2)]
      }
      const [m1, m2] = [part(0.25, 0.5, 'memory'), part(0.75, 1, 'memory')]
      const [f1, f2] = [part(0.25, 0.5, 'files'), part(0.75, 1, 'files')]
      console.log(r.name + ': ' + n + ' samples, memory ' + (m1 >> 10) + ' to ' + (m2 >> 10) + ' KiB, descriptors ' + f1 + ' to ' + f2)
      check(r.starts === 1, r.name + ' was never started again')
      if (!check(n > 10, r.name + ': long enough to tell')) continue
      check(m2 - m1 < MEMORY_GROWTH && m2 < MEMORY_MOST, r.name + ': memory does not grow')
      check(f2 - f1 < 10 && f2 < FILES_MOST, r.name + ': descriptors do not grow')
    }
  }

  dump () {
    for (const r of this.seeders || []) {
      console.log('--', r.name, r.process ? 'pid ' + r.process.pid : 'not running', r.held ? 'held' : '',
        r.place.address, r.place.up ? '' : 'cut', 'loss ' + r.place.loss, this.busy.has(r) ? 'busy' : '',
        'connections ' + r.connections, 'left alone for ' + seconds(Date.now() - r.disturbed))
      for (const [key, h] of r.have) console.log('  ', key.slice(0, 5), JSON.stringify({ ...h, moved: seconds(Date.now() - h.moved) }))
      for (const l of r.said.slice(-8)) console.log('    ' + l.slice(0, 200))
    }
    console.log('targets', JSON.stringify([...this.targets]))
  }
}

function middle (list) {
  const l = [...list].sort((a, b) => a - b)
  return l.length ? 'median ' + seconds(l[l.length >> 1]) + ', most ' + seconds(l[l.length - 1]) : 'none'
}

main(async (work) => {
  console.log('soak of ' + SECONDS + ' s, SEED=' + SEED)
  const soak = new Soak(work)
  try {
    await soak.run()
  } catch (err) {
    soak.dump()
    throw err
  }
  await soak.compare()
  for (const n of soak.nodes.filter((n) => n.kind === 'ours')) await n.end()
  soak.measured()
  for (const t of trouble) check(false, t)
  console.log(soak.rounds + ' rounds, ' + JSON.stringify(soak.count))
  console.log('drives: ' + [...soak.targets.values()].map((t) => t.length + ' entries, ' + t.bytes + ' bytes').join('; '))
  console.log('crowds: ' + soak.crowds.join(', ') + '; most connections of ' + soak.steady.name + ' ' + soak.steady.most)
  console.log('started again because they were alone: ' + soak.roused + ' of theirs')
  for (const kind of ['ours', 'theirs']) {
    console.log(kind + ': a new length came in ' + middle(soak.settled[kind]) +
      '; longest time without progress ' + seconds(soak.stuck[kind]))
  }
})
