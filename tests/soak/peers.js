// The processes of a soak: seeders of both kinds, each in its place, and the
// nodes of the DHT. A Runner is a command that tells its state in lines of
// JSON; it can be killed, held and started again, and is measured meanwhile.
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const { bin, tool, run } = require('../interop/common')

const KEPT_LINES = 30
const END_WITHIN = 60000 // on a busy machine

exports.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

exports.trouble = [] // what processes said or did that they must not

const proc = (pid, name) => fs.readFileSync('/proc/' + pid + '/' + name, 'utf8')

// Memory that is the process's own: the pages of mapped files come and go.
function measure (pid) {
  return {
    memory: Number(proc(pid, 'status').match(/RssAnon:\s+(\d+)/)[1]) * 1024,
    files: fs.readdirSync('/proc/' + pid + '/fd').length
  }
}

class Runner {
  constructor (name) {
    this.name = name
    this.process = null
    this.held = false
    this.starts = 0
    this.samples = []
    this.said = []
    this.disturb()
  }

  // Something was done to it: it gets time to find its feet.
  disturb () {
    this.disturbed = Date.now()
  }

  launch (program, args) {
    this.disturb()
    this.starts++
    this.samples = []
    const p = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    p.stdin.on('error', () => {})
    p.ended = once(p, 'exit').then(([code, signal]) => {
      if (this.process === p) this.process = null
      if (!p.ending) exports.trouble.push(this.name + ' ended by itself: ' + (signal || code) + '\n' + this.said.join('\n'))
      return signal || code
    })
    readline.createInterface({ input: p.stdout }).on('line', (l) => {
      if (this.process === p) this.line(JSON.parse(l))
    })
    readline.createInterface({ input: p.stderr }).on('line', (l) => this.complain(l))
    this.process = p
  }

  keep (text) {
    this.said.push(((Date.now() - exports.began) / 1000).toFixed(1) + ' ' + text)
    if (this.said.length > KEPT_LINES) this.said.shift()
  }

  complain (text) {
    this.keep(text)
    if (process.env.VERBOSE) console.error(this.name + ': ' + text)
    if (this.forbidden && this.forbidden.test(text)) exports.trouble.push(this.name + ': ' + text)
  }

  sample () {
    if (!this.process || this.held) return
    try {
      this.samples.push(measure(this.process.pid))
    } catch { /* it is ending */ }
  }

  hold (on) {
    this.disturb()
    this.held = on
    if (this.process) this.process.kill(on ? 'SIGSTOP' : 'SIGCONT')
  }

  async kill () {
    const p = this.process
    if (!p) return
    p.ending = true
    p.kill('SIGKILL')
    await p.ended
  }

  // A clean end, which must come.
  async end (signal = 'SIGTERM') {
    const p = this.process
    if (!p) return
    p.ending = true
    p.kill(signal)
    const code = await Promise.race([p.ended, exports.sleep(END_WITHIN).then(() => 'none')])
    if (code !== 0) exports.trouble.push(this.name + ': ' + signal + ' ends with ' + code + '\n' + this.said.join('\n'))
    if (code === 'none') await this.kill()
  }
}

// What is common to seeders: they have drives, and are somewhere.
class Seeder extends Runner {
  constructor (name, place, dir, nodes) {
    super(name)
    this.place = place
    this.dir = dir
    this.nodes = nodes
    this.links = []
    this.have = new Map() // by the drive's key
    this.connections = 0
    this.live = false // follows and is to be compared
  }

  healthy () {
    return this.process && !this.held && this.place.up
  }

  start () {
    this.have.clear()
    this.connections = 0
    this.command()
  }

  line ({ tag, data }) {
    if (tag !== 'stats') {
      this.keep(tag + ' ' + JSON.stringify(data))
      if (this.answer && tag === this.answer.tag) this.answer.resolve(data)
      return
    }
    this.connections = data.connections
    this.most = Math.max(this.most || 0, data.connections)
    if (data.whoami) this.key = data.whoami
    const progress = JSON.stringify([data.driveLength, data.blobsByteLength, data.state, data.contiguous,
      data.download && data.download.totalBlocks])
    const old = this.have.get(data.driveKey)
    this.have.set(data.driveKey, {
      length: data.driveLength,
      bytes: data.blobsByteLength || 0,
      complete: data.state === 'complete',
      peers: data.peers,
      progress,
      moved: old && old.progress === progress ? old.moved : Date.now()
    })
  }

  // -1, 0, 1 as what is here of a drive is less than, the same as, more than
  // that.
  compare (key, other) {
    const a = this.have.get(key) || { length: 0, bytes: 0, complete: false }
    return Math.sign(a.length - other.length) || Math.sign(a.bytes - other.bytes) || (a.complete - other.complete)
  }

  // A seeder with nothing, under the same name.
  forget () {
    fs.rmSync(this.dir, { recursive: true, force: true })
  }
}

exports.OurSeeder = class OurSeeder extends Seeder {
  constructor (...args) {
    super(...args)
    // every peer here is honest, and no disk is full
    this.forbidden = /peer .*:|Sanitizer|runtime error|bug/
    this.kind = 'ours'
    this.options = []
  }

  command () {
    this.launch(...this.place.enter(bin('pear-seed'), [...this.links, '--storage', this.dir, '--json',
      '--dht-bootstrap', this.nodes, '--stats-interval', '500', ...this.options]))
  }

  // Keys of all cores with what is here of them, every block checked.
  async hashes () {
    const all = {}
    for (const l of run(tool('verify'), [this.dir]).trim().split('\n')) {
      const { core, ...rest } = JSON.parse(l)
      if (rest.length) all[core] = rest
    }
    return all
  }
}

// Strangers, until they are killed.
exports.Crowd = class Crowd extends Runner {
  constructor (place, hosts, nodes) {
    super('crowd')
    this.place = place
    this.hosts = place.more(hosts)
    this.nodes = nodes
  }

  // How many of them were let in, and how many not.
  start (key, count) {
    const there = new Promise((resolve) => { this.there = resolve })
    this.launch(...this.place.enter(process.execPath, [path.join(__dirname, 'js-crowd.js'), this.nodes, key,
      String(count), ...this.hosts]))
    return there
  }

  line ({ data }) {
    this.there(data)
  }
}

// A drive that is staged while it is seeded.
exports.OurWriter = class OurWriter extends exports.OurSeeder {
  open () {
    this.folder = this.dir + '-app'
    fs.mkdirSync(this.folder)
    fs.writeFileSync(path.join(this.folder, 'package.json'), '{"name":"soak","version":"1.0.0"}\n')
    const link = run(bin('pear-touch'), ['--storage', this.dir, '--json']).match(/pear:\/\/[a-z0-9]{52}/)[0]
    this.links = [link]
    return link
  }

  // What is there now, or null if it was killed before it could say so.
  async stage (killAfter) {
    const p = spawn(bin('pear-stage'), ['--storage', this.dir, '--json', this.links[0], this.folder],
      { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    p.stdout.on('data', (d) => { out += d })
    p.stderr.on('data', (d) => { err += d })
    const timer = killAfter === undefined ? null : setTimeout(() => p.kill('SIGKILL'), killAfter)
    const [code, signal] = await once(p, 'close')
    clearTimeout(timer)
    if (signal) return null
    if (code !== 0) throw new Error('pear-stage: exit ' + code + ' ' + err + out)
    const { next } = out.trim().split('\n').map((l) => JSON.parse(l)).find((l) => l.tag === 'summary').data
    return { length: next.length, bytes: next.blobs ? next.blobs.byteLength : 0 }
  }
}

let seeds = 0

exports.JsSeeder = class JsSeeder extends Seeder {
  constructor (...args) {
    super(...args)
    this.kind = 'theirs'
    this.seed = ++seeds
  }

  command () {
    this.launch(...this.place.enter(process.execPath, [path.join(__dirname, 'js-seed.js'), this.dir, this.nodes,
      String(this.seed), ...this.links]))
  }

  // null if it is killed meanwhile
  async ask (op, answer, more = {}) {
    const p = this.process
    const answered = new Promise((resolve) => { this.answer = { tag: answer, resolve } })
    p.stdin.write(JSON.stringify({ op, ...more }) + '\n')
    return Promise.race([answered, p.ended.then(() => null)])
  }

  async end () {
    const p = this.process
    if (!p) return
    p.ending = true
    p.stdin.write('{"op":"close"}\n')
    // not what is under test
    if (await Promise.race([p.ended, exports.sleep(END_WITHIN).then(() => 'none')]) === 'none') await this.kill()
  }

  hashes () {
    return this.ask('hash', 'hash')
  }
}

// A node of the DHT at an address of the bridge, ours or theirs.
exports.Node = class Node extends Runner {
  constructor (kind, host, port, others) {
    super('node ' + host + ' (' + kind + ')')
    this.kind = kind
    this.host = host
    this.port = port
    this.others = others
    if (kind === 'ours') this.forbidden = /./
  }

  start () {
    const { host, port, others } = this
    const ready = new Promise((resolve) => { this.ready = resolve })
    if (this.kind === 'ours') {
      this.launch(bin('pear-dht'), ['--json', '--host', host, '--port', String(port),
        ...(others.length ? others.flatMap((o) => ['--node', o]) : ['--bootstrap'])])
    } else this.launch(process.execPath, [path.join(__dirname, 'js-node.js'), host, String(port), others.join(',')])
    return ready
  }

  line (l) {
    this.keep(JSON.stringify(l))
    if (l.tag === 'listening') this.ready()
  }
}
