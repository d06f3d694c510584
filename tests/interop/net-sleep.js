// A seeder of more drives than it holds open, on a DHT of JavaScript nodes:
// JavaScript peers fetch and follow those that sleep, and write those that
// it follows. What it has in the end is what they have, to the hash.
'use strict'
const fs = require('fs')
const path = require('path')
const createTestnet = require('hyperdht/testnet')
const { main, check, same } = require('./common')
const { JsSide, OurSide, within } = require('./net-sides')

const DRIVES = 5
const OPEN = 1

function side (kind, net, dir) {
  const s = new kind(dir) // eslint-disable-line new-cap
  s.nodes = '127.0.0.1:' + net.bootstrap[0].port
  return s
}

// Block files that are open; a drive that is awake has two.
function blockFiles (ours) {
  const dir = '/proc/' + ours.process.pid + '/fd'
  return fs.readdirSync(dir).filter((fd) => {
    try {
      return fs.readlinkSync(path.join(dir, fd)).includes('/blocks/')
    } catch {
      return false // closed meanwhile
    }
  }).length
}

const awake = (ours) => ours.event('stats').then(() => {
  const n = blockFiles(ours)
  check(n <= 4 * (OPEN + 1), 'few files are open: ' + n)
})

async function until (holds) {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 50))
}

// Each drive of one store; one process seeds them all.
async function theyFetch (net, work) {
  const drives = []
  for (let i = 0; i < DRIVES; i++) {
    drives.push(side(OurSide, net, path.join(work, 'ours')))
    await drives[i].put('/a', 100000 + i, i + 1)
  }
  const seeder = drives[0]
  seeder.seeding = ['--max-open', String(OPEN), ...drives.slice(1).map((d) => d.link)]
  await seeder.start()
  const followers = []
  for (let i = DRIVES - 1; i >= 0; i--) {
    const js = side(JsSide, net, path.join(work, 'js' + i))
    await js.fetch(drives[i].link)
    same(await js.files(), await drives[i].files(), 'they fetch drive ' + i)
    followers[i] = js
  }
  // one that sleeps here grows
  await followers[3].ask('follow')
  const { version } = await drives[3].put('/b', 50000, 20)
  await within(until(async () => (await followers[3].state()).db.contiguous === version), 'they follow')
  await followers[3].ask('download', {})
  same(await followers[3].files(), await drives[3].files(), 'they follow')
  for (const s of [...followers, seeder]) await s.stop()
}

// Each drive of a JavaScript peer of its own; one process follows them all.
async function theyWrite (net, work) {
  const writers = []
  for (let i = 0; i < DRIVES; i++) {
    const js = side(JsSide, net, path.join(work, 'js' + i))
    await js.open()
    await js.put('/a', 100000 + i, i + 40)
    await js.start()
    writers.push(js)
  }
  const ours = side(OurSide, net, path.join(work, 'ours'))
  ours.link = writers[0].link
  ours.seeding = ['--max-open', String(OPEN), ...writers.slice(1).map((w) => w.link)]
  await ours.start()
  const whole = async (js) => {
    const { db, blobs } = await js.state()
    await ours.event('stats', (s) => 'pear://' + s.driveKey === js.link &&
      s.driveLength === db.length && s.blobsByteLength > 0 && s.state === 'complete')
    ours.link = js.link
    return { db, blobs }
  }
  const expected = []
  for (const js of writers) expected.push(await whole(js))
  for (const i of [4, 0, 2]) {
    await writers[i].put('/b', 70000, i + 60)
    expected[i] = await whole(writers[i])
  }
  await awake(ours)
  await ours.stop()
  const stored = ours.look().map((c) => c.treeHash)
  for (const [i, { db, blobs }] of expected.entries()) {
    check(stored.includes(db.treeHash) && stored.includes(blobs.treeHash), 'drive ' + i + ' has the hashes of its writer')
  }
  for (const js of writers) await js.stop()
}

main(async (work) => {
  const net = await createTestnet(6, { host: '127.0.0.1', port: 0 })
  await theyFetch(net, path.join(work, 'fetch'))
  await theyWrite(net, path.join(work, 'write'))
  await net.destroy()
})
