// Drives written by our library, proven block by block to the JavaScript
// stack, which verifies as it does for a peer, reads everything and agrees.
'use strict'
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const {
  main, check, same, Lines, Random, tool, listOurs, listTheirs, listModel,
  randomVersion, proofIn, request
} = require('./common')
const { pull } = require('./carry')

const SEEDS = Number(process.env.INTEROP_SEEDS || 9)
const SHARES = ['plain', 'shared', 'pear']

// A bare upgrade and hash requests on a fresh replica: they carry no block.
// (proofs.js compares seeks.)
async function pullParts (server, store, key, r, what) {
  const core = store.get({ key })
  await core.ready()
  const head = await server.ask({ key: key.toString('hex') })
  const first = await server.ask({
    key: key.toString('hex'),
    upgrade: { start: 0, length: head.length },
    manifest: true
  })
  check(!first.error && await core.core.verify(proofIn(first), null), what + ': bare upgrade ' + first.error)
  for (let k = 0; k < 5; k++) {
    const block = r.below(head.length)
    const q = { key: key.toString('hex'), hash: { index: 2 * block, nodes: await core.missingNodes(block) } }
    const a = await server.ask(q)
    if (!check(!a.error, what + ': hash ' + block + ': ' + a.error)) continue
    check(await core.core.verify(proofIn(a), null), what + ': hash ' + block)
  }
  await core.close()
}

// A changed proof must be refused, else the rest proves nothing.
async function refuses (server, store, key, what) {
  const core = store.get({ key })
  await core.ready()
  const head = await server.ask({ key: key.toString('hex') })
  const answer = await server.ask(await request(core, 0, head.length))
  answer.block.value = (answer.block.value.startsWith('00') ? '01' : '00') + answer.block.value.slice(2)
  let refused = false
  try {
    refused = !(await core.core.verify(proofIn(answer), null))
  } catch {
    refused = true
  }
  check(refused, what + ': a changed block is refused')
  await core.close()
}

async function history (drive, r, what) {
  let blocks = 0
  for await (const e of drive.db.createHistoryStream({ wait: false })) {
    if (e.seq > 0) blocks++
  }
  same(blocks, drive.core.length - 1, what + ': history')
}

async function one (work, seed) {
  const r = new Random(seed)
  const share = SHARES[seed % SHARES.length]
  const what = 'seed ' + seed + ' ' + share
  const ours = path.join(work, 'ours-' + seed)
  const store = new Corestore(path.join(work, 'theirs-' + seed))
  const drivekey = Buffer.alloc(32, seed).toString('hex')
  const model = new Map()
  const versions = []
  let drive = null
  let key = null

  await store.ready()
  for (let v = 0; v < 4; v++) {
    const edit = new Lines('drive_edit', [ours, drivekey])
    for (const op of randomVersion(r, model, 1 + r.below(v === 2 ? 60 : 12))) {
      edit.send({ ...op, data: op.data && op.data.toString('hex'), share })
    }
    const done = await edit.ask({ op: 'commit' })
    same(await edit.close(), 0, what + ': drive_edit')
    key = Buffer.from(done.key, 'hex')
    versions.push({ version: done.version, want: listModel(model) })

    const server = new Lines('core_proofs', ['serve', ours])
    // Before the drive is opened: what it waits for comes from peers only.
    const db = store.get({ key })
    await db.ready()
    await pull(server, db, r, what + ' db')
    if (!drive) {
      drive = new Hyperdrive(store, key)
      await drive.ready()
    }
    const blobs = await drive.getBlobs()
    if (done.blobs > 0) await pull(server, blobs.core, r, what + ' blobs')
    if (v === 3) {
      const other = new Corestore(path.join(work, 'parts-' + seed))
      await pullParts(server, other, key, r, what + ' db')
      if (done.blobs > 0) await pullParts(server, other, blobs.core.key, r, what + ' blobs')
      await other.close()
      const third = new Corestore(path.join(work, 'refuse-' + seed))
      await refuses(server, third, key, what)
      await third.close()
    }
    await server.close()
  }
  same(await listTheirs(drive), versions[versions.length - 1].want, what + ': newest content')
  await history(drive, r, what)
  for (const { version, want } of versions) {
    same(await listTheirs(drive.checkout(version)), want, what + ': content at ' + version)
    same(listOurs(ours, key, version).entries, want, what + ': our content at ' + version)
  }
  await store.close()
}

main(async (work) => {
  if (!require('fs').existsSync(tool('drive_edit'))) throw new Error('build the tools first')
  for (let seed = 1; seed <= SEEDS; seed++) await one(work, seed)
})
