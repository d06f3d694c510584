// net.js BUILD WORK STEP...: one sample of replication between two processes.
// Prints "SECONDS CPU-SECONDS KIB": from the start of the follower to its
// end, both processors' time, the larger of both peaks.
//	prepare SET              the drive, in a JavaScript store and in ours
//	get SEEDER FOLLOWER SET [LOSS SEED]
//	                         into the follower's store; SEEDER, FOLLOWER: js
//	                         or ours; through tests/tunlab with LOSS per 10,000
//	                         and 20 ms each way
//	again SEEDER FOLLOWER SET  the same from a seeder that has given it away
//	                         once before: it has compared every block
//	                         with its hash already
//	peers SEEDER COUNT SET   that many JavaScript followers at once; KIB is
//	                         the seeder's peak
// Sets: g one blob of 1 GiB, h 3,000 small files, i one of 128 MiB, j of 16.
'use strict'
const fs = require('fs')
const path = require('path')

const [, work, step, ...args] = process.argv.slice(2)
const { tool } = require('../tests/interop/common')
const { JsSide, OurSide, within } = require('../tests/interop/net-sides')
const tunlab = require('../tests/tunlab/tunlab')

const MIB = 1 << 20
const SETS = { g: 1024 * MIB, h: 0, i: 128 * MIB, j: 16 * MIB }
const SIDES = { js: JsSide, ours: OurSide }
const TICKS = 100 // of the processor clock in a second

const place = (name) => path.join(work, 'net-' + name)

// What a process used so far.
function used (pid) {
  const stat = fs.readFileSync('/proc/' + pid + '/stat', 'latin1')
  const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const peak = /VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/' + pid + '/status', 'latin1'))
  return { cpu: (Number(field[11]) + Number(field[12])) / TICKS, rss: Number(peak[1]) }
}

const linkOf = (set) => fs.readFileSync(place(set + '-link'), 'latin1')

function side (kind, dir, set) {
  const s = new SIDES[kind](dir)
  s.link = linkOf(set)
  return s
}

// The follower has all of it: it says so itself.
async function whole (follower, { db, blobs }) {
  if (follower instanceof JsSide) {
    await follower.ask('wait', { core: 'db', contiguous: db.length })
    await follower.ask('wait', { core: 'blobs', contiguous: blobs.length })
    return
  }
  await follower.complete(db.length + blobs.length)
}

async function prepare (set) {
  if (fs.existsSync(place(set + '-state'))) return
  for (const name of ['-js', '-ours']) fs.rmSync(place(set + name), { recursive: true, force: true })
  const js = new JsSide(place(set + '-js'))
  await js.open()
  if (SETS[set]) await js.put('/blob', SETS[set], 1)
  else await js.many(3000, 3000, 1)
  const state = await js.state()
  fs.writeFileSync(place(set + '-link'), js.link)
  const ours = new OurSide(place(set + '-ours'))
  await ours.follow(js.link, await js.start())
  await whole(ours, state)
  await ours.stop()
  await js.stop()
  fs.writeFileSync(place(set + '-state'), JSON.stringify(state))
}

// A whole download; the seeder runs, the follower's store is new.
async function fetch (seeder, follower, at, state) {
  fs.rmSync(place('follower'), { recursive: true, force: true })
  await follower.follow(seeder.link, at)
  await whole(follower, state)
}

async function again (from, to, set) {
  return get(from, to, set, undefined, undefined, true)
}

async function get (from, to, set, loss, seed, twice) {
  const state = JSON.parse(fs.readFileSync(place(set + '-state')))
  const lab = loss === undefined ? null
    : await tunlab.open(tool('tunlab'), { loss: Number(loss), delay: 20, seed: Number(seed) })
  if (loss !== undefined && !lab) throw new Error('no namespaces here (needs root)')
  const seeder = side(from, place(set + '-' + from), set)
  const follower = side(to, place('follower'), set)
  if (lab) {
    for (const [s, name] of [[seeder, 'a'], [follower, 'b']]) {
      s.host = tunlab.ADDRESS[name]
      s.enter = (program, args) => lab.enter(name, program, args)
    }
  }
  const at = await seeder.start()
  if (twice) {
    const first = side(to, place('follower'), set)
    await fetch(seeder, first, at, state)
    await first.stop()
  }
  const before = used(seeder.process.pid).cpu
  const start = process.hrtime.bigint()
  await fetch(seeder, follower, at, state)
  const sum = [seeder, follower].map((s) => used(s.process.pid))
  await follower.stop()
  const wall = Number(process.hrtime.bigint() - start) / 1e9
  await seeder.stop()
  if (lab) await lab.close()
  fs.rmSync(place('follower'), { recursive: true, force: true })
  const cpu = sum[0].cpu + sum[1].cpu - (twice ? before : 0)
  return [wall, cpu, Math.max(sum[0].rss, sum[1].rss)]
}

async function peers (from, count, set) {
  const state = JSON.parse(fs.readFileSync(place(set + '-state')))
  const seeder = side(from, place(set + '-' + from), set)
  const at = await seeder.start()
  const start = process.hrtime.bigint()
  const followers = []
  for (let i = 0; i < Number(count); i++) {
    fs.rmSync(place('follower-' + i), { recursive: true, force: true })
    followers.push(side('js', place('follower-' + i), set))
    followers[i].keep = true
  }
  await Promise.all(followers.map(async (f) => {
    await f.follow(seeder.link, at)
    await whole(f, state)
  }))
  const { cpu, rss } = used(seeder.process.pid)
  const wall = Number(process.hrtime.bigint() - start) / 1e9
  await Promise.all(followers.map((f) => f.stop()))
  await seeder.stop()
  for (const f of followers) fs.rmSync(f.dir, { recursive: true, force: true })
  return [wall, cpu, rss]
}

async function main () {
  fs.mkdirSync(work, { recursive: true })
  const sample = await within({ prepare, get, again, peers }[step](...args), step, 600000)
  if (sample) console.log(sample[0].toFixed(4), sample[1].toFixed(4), sample[2])
  process.exit()
}

main().catch((err) => {
  console.error('net.js: ' + err.stack)
  process.exit(1)
})
