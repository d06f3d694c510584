// What replication has to get right between two peers, whichever kind they
// are: each case is given a seeder and a way to make followers. Files are
// compared by hash, cores by length, fork, contiguous length and tree hash,
// and a JavaScript seeder must see as much of the follower as there is.
'use strict'
const path = require('path')
const { check, same } = require('./common')
const { JsSide, folder, listFolder } = require('./net-sides')

const MIB = 1 << 20
const BIG = (process.env.FULL ? 1024 : 64) * MIB
const KILL = 48 * MIB // moved while one of both is killed
const BLOCK = 65536
// Blocks that may move again after a kill: what was on its way or verified,
// and not yet durable.
const AGAIN = 16 * MIB / BLOCK

// Both cores of the follower are as those of the seeder. Somebody who can be
// asked waits for it: a JavaScript seeder looks at what the other says it has,
// a JavaScript follower at itself.
async function reach (seeder, follower) {
  const { db, blobs } = await seeder.state()
  for (const [core, is] of [['db', db], ['blobs', blobs]]) {
    if (!is || !is.length) continue
    const what = { core, length: is.length, contiguous: is.length, fork: is.fork }
    if (seeder instanceof JsSide) await seeder.ask('wait', { ...what, remote: 'any' })
    else await follower.ask('wait', what)
    if (follower instanceof JsSide) await follower.ask('wait', { ...what, remote: 'any' })
  }
  return { db, blobs }
}

async function equal (seeder, follower, what) {
  const want = await reach(seeder, follower)
  same(await follower.state(), want, what + ': cores')
  same(await follower.files(), await seeder.files(), what + ': files')
}

// -- cases: (seeder, follower, work) ---------------------------------------

async function empty (seeder, follower) {
  if (!seeder.link) await seeder.open()
  await follower.follow(seeder.link, await seeder.start())
  const js = seeder instanceof JsSide ? seeder : follower
  const { db } = await js.ask('wait', { core: 'db', remote: 'any' })
  same(db.peers.map((p) => p.length), [0], 'empty: both know that there is nothing')
  if (seeder instanceof JsSide) {
    await seeder.put('/first', 10, 1)
    await equal(seeder, follower, 'empty, then one file')
  }
}

async function one (seeder, follower) {
  await seeder.put('/one', 10, 1)
  await follower.follow(seeder.link, await seeder.start())
  await equal(seeder, follower, 'one block')
}

async function many (seeder, follower) {
  await seeder.many(3000, 3000, 7)
  await follower.follow(seeder.link, await seeder.start())
  await equal(seeder, follower, '3,000 files')
}

async function big (seeder, follower, work) {
  await seeder.stage(folder(path.join(work, 'big'), [['blob', BIG, 3]]))
  await follower.follow(seeder.link, await seeder.start())
  await equal(seeder, follower, 'a blob of ' + BIG / MIB + ' MiB')
}

// Two versions of files that share most of their content.
async function maps (seeder, follower, work) {
  const files = [['a', 3 * MIB, 1], ['b/c', 200000, 2], ['same', 200000, 2], ['none', 0, 0]]
  await seeder.stage(folder(path.join(work, 'maps'), files))
  await seeder.stage(folder(path.join(work, 'maps'), [...files, ['a', 3 * MIB + 777, 1], ['d', 3 * MIB - 5, 1]]))
  await follower.follow(seeder.link, await seeder.start())
  await equal(seeder, follower, 'block maps')
}

async function sparse (seeder, follower, work) {
  const want = 'by-arch/linux-x64'
  await seeder.stage(folder(path.join(work, 'sparse'), [
    [want + '/app/main', 3 * MIB, 2],
    [want + '/app/lib/x', 70000, 3],
    ['by-arch/darwin-arm64/app/main', 4 * MIB, 4],
    ['by-arch/win32-x64/app/main.exe', 5 * MIB, 5]
  ]))
  await follower.fetch(seeder.link, await seeder.start(), want)
  const got = follower instanceof JsSide ? await follower.files(want) : listFolder(follower.out)
  const all = await seeder.files()
  same(got.filter((f) => f.path.startsWith('/by-arch')), all.filter((f) => f.path.startsWith('/' + want + '/')),
    'sparse: the files of one architecture')
  if (!(seeder instanceof JsSide)) return
  const ranges = await seeder.ask('ranges')
  const { blobs } = await seeder.ask('sent')
  for (const [name, [start, end]] of Object.entries(ranges)) {
    if (name.startsWith('/' + want + '/')) continue
    const sent = blobs.filter((i) => i >= start && i < end).length
    check(sent === 0, 'sparse: ' + sent + ' blocks of ' + name + ' were fetched')
  }
  const { moved } = await seeder.ask('stat')
  const size = got.reduce((sum, f) => sum + f.size, 0)
  check(moved.upBytes < size + 10000, 'sparse: ' + moved.upBytes + ' bytes for files of ' + size)
}

async function dump (seeder, follower) {
  await seeder.many(200, 3000, 9)
  await seeder.put('/many/d1/1', 5000, 10)
  await follower.fetch(seeder.link, await seeder.start())
  const got = follower instanceof JsSide ? await follower.files() : listFolder(follower.out)
  same(got, await seeder.files(), 'fetched at once: files')
}

async function live (seeder, follower) {
  await seeder.put('/start', 100000, 1)
  await follower.follow(seeder.link, await seeder.start())
  await equal(seeder, follower, 'live: at first')
  for (let i = 0; i < 5; i++) {
    await seeder.put('/more' + i, [0, 1, 70000, 1000000, 5][i], i)
    await equal(seeder, follower, 'live: append ' + i)
  }
}

async function fork (seeder, follower) {
  const { version } = await seeder.many(50, 3000, 11)
  await seeder.put('/x', 500000, 1)
  await seeder.put('/y', 500000, 2)
  await follower.follow(seeder.link, await seeder.start())
  await equal(seeder, follower, 'fork: before')
  const before = (await seeder.state()).db
  await seeder.truncate(before.length - 1)
  await equal(seeder, follower, 'fork: truncated')
  await seeder.put('/z', 300000, 3)
  await equal(seeder, follower, 'fork: went on')
  await seeder.truncate(version)
  await seeder.put('/w', 100, 4)
  await equal(seeder, follower, 'fork: far back')
  check((await follower.state()).db.fork === before.fork + 2, 'fork: twice')
}

// The number of contents blocks that moved so far, and waiting for it.
function mover (seeder, follower) {
  const js = seeder instanceof JsSide ? seeder : follower
  const name = js === seeder ? 'up' : 'down'
  return {
    until: (n) => js.ask('wait', { [name]: n }),
    count: async () => (await js.ask('stat')).moved[name]
  }
}

async function killFollower (seeder, follower, work) {
  await seeder.stage(folder(path.join(work, 'kill'), [['blob', KILL, 5]]))
  const at = await seeder.start()
  const total = (await seeder.state()).blobs.length
  const half = Math.floor(total / 2)
  await follower.follow(seeder.link, at)
  const moved = mover(seeder, follower)
  await moved.until(half)
  await follower.kill()
  await follower.follow(seeder.link, at)
  await equal(seeder, follower, 'follower killed')
  const count = await moved.count()
  const most = (seeder instanceof JsSide ? total : total - half) + AGAIN
  check(count <= most, 'follower killed: ' + count + ' of ' + total + ' blocks, at most ' + most)
}

async function killSeeder (seeder, follower, work) {
  await seeder.stage(folder(path.join(work, 'kill'), [['blob', KILL, 6]]))
  const at = await seeder.start()
  const total = (await seeder.state()).blobs.length
  const half = Math.floor(total / 2)
  await follower.follow(seeder.link, at)
  await mover(seeder, follower).until(half)
  await seeder.kill()
  const again = await seeder.start()
  // ours dials the same place by itself
  if (follower instanceof JsSide) await follower.dial(seeder.link, again)
  await equal(seeder, follower, 'seeder killed')
  const count = await mover(seeder, follower).count()
  const most = (seeder instanceof JsSide ? total - half : total) + AGAIN
  check(count <= most, 'seeder killed: ' + count + ' of ' + total + ' blocks, at most ' + most)
}

exports.cases = { empty, one, many, big, maps, sparse, dump, live, fork, killFollower, killSeeder }

// Two seeders, each with another half of the contents.
exports.halves = async function (Follower, work) {
  const a = new JsSide(path.join(work, 'a'))
  const b = new JsSide(path.join(work, 'b'))
  const c = new Follower(path.join(work, 'c'))
  await a.open()
  await a.put('/blob', 16 * MIB, 1)
  const at = [await a.start()]
  await b.follow(a.link, at)
  at.push(await b.start())
  await equal(a, b, 'halves: the second seeder')
  const want = { state: await a.state(), files: await a.files() }
  const half = Math.floor(want.state.blobs.length / 2)
  await a.ask('clear', { start: 0, end: half })
  await b.ask('clear', { start: half, end: want.state.blobs.length })
  await c.follow(a.link, at)
  for (const js of [a, b]) {
    const { db, blobs } = want.state
    await js.ask('wait', { core: 'db', remote: 'any', contiguous: db.length })
    await js.ask('wait', { core: 'blobs', remote: 'any', contiguous: blobs.length })
  }
  same(await c.state(), want.state, 'halves: cores')
  same(await c.files(), want.files, 'halves: files')
  for (const side of [c, b, a]) await side.stop()
}

exports.runCases = async function (Seeder, Follower, work) {
  const only = process.env.CASES ? process.env.CASES.split(',') : Object.keys(exports.cases)
  for (const name of only) {
    const seeder = new Seeder(path.join(work, name + '-seeder'))
    const follower = new Follower(path.join(work, name + '-follower'))
    const start = Date.now()
    try {
      if (seeder instanceof JsSide) await seeder.open()
      await exports.cases[name](seeder, follower, work)
      await follower.stop()
      await seeder.stop()
    } catch (err) {
      check(false, name + ': ' + err.stack)
      for (const side of [seeder, follower]) {
        if (side.process) await side.kill()
      }
    }
    console.log('  ' + name + ' ' + (Date.now() - start) + ' ms')
  }
}
