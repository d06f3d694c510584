// Cores go from JavaScript to ours and on to a third, JavaScript store; on
// the way every kind of request must get the very proof JavaScript gives.
'use strict'
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const MerkleTree = require('hypercore/lib/merkle-tree').MerkleTree
const {
  main, check, same, Lines, Random, listTheirs, listModel, randomVersion,
  proofIn, proofOut, request, order
} = require('./common')

const SEEDS = Number(process.env.INTEROP_SEEDS || 8)

// The proof as the replicator makes it (core.proof() cannot do seeks).
async function theirProof (core, q) {
  const rx = core.state.storage.read()
  const p = await MerkleTree.proof(core.state, rx, q).catch((err) => {
    rx.destroy()
    throw err
  })
  const block = q.block ? rx.getBlock(q.block.index) : null
  rx.tryFlush()
  const settled = await p.settle()
  if (block) settled.block.value = await block
  const out = proofOut(core.key, settled, q.manifest ? core.core.header.manifest : null)
  delete out.key
  return out
}

const copy = (o) => JSON.parse(JSON.stringify(o))

async function compare (server, core, q, what) {
  const got = await server.ask(q)
  let want = null
  try {
    want = await theirProof(core, copy(q))
  } catch (err) {
    want = { error: err.message }
  }
  if (want.error) check(got.error, what + ': they refuse (' + want.error + ') ' + JSON.stringify(q))
  else same(got, want, what + ': ' + JSON.stringify(q))
  return got
}

// Requests a replicator could send. A seek lies in the part that is asked for;
// elsewhere JavaScript's answers are accidents.
async function randomRequest (r, core) {
  const q = { key: core.key.toString('hex'), manifest: r.below(2) === 0 }
  const n = core.length
  const block = r.below(n)
  const kind = r.below(3)
  if (kind === 0) q.block = { index: block, nodes: r.below(5) }
  if (kind === 1) q.hash = { index: 2 * block, nodes: r.below(4) }
  if (kind === 2 || r.below(3) === 0) {
    q.upgrade = { start: r.below(n), length: 0 }
    q.upgrade.length = 1 + r.below(n - q.upgrade.start)
  }
  if (r.below(2)) return q
  const end = q.upgrade ? q.upgrade.start + q.upgrade.length : n
  const at = kind === 2 ? q.upgrade.start + r.below(q.upgrade.length) : block
  if (at >= end || (q.upgrade && kind !== 2 && at >= q.upgrade.start)) return q
  const from = await MerkleTree.byteOffset(core.state, 2 * at)
  const to = at + 1 === n ? core.byteLength : await MerkleTree.byteOffset(core.state, 2 * at + 2)
  if (to > from) q.seek = { bytes: from + r.below(to - from), padding: 0 }
  return q
}

async function feed (taker, core, shadow, r, what) {
  for (const i of order(r, 0, core.length)) {
    if (shadow.core.bitfield.get(i)) continue
    const q = await request(shadow, i, core.length)
    const line = proofOut(core.key, await core.proof(q), q.manifest ? core.core.header.manifest : null)
    const a = await taker.ask(line)
    if (a.error) throw new Error(what + ': ' + a.error)
    await shadow.core.verify(proofIn(line), null)
  }
  const head = await taker.ask({ key: core.key.toString('hex'), commit: true })
  same([head.length, head.byteLength, head.contiguous], [core.length, core.byteLength, core.length], what)
  const again = await taker.ask(proofOut(core.key, await core.proof({ block: { index: 0, nodes: 0 } }), null))
  same(again, { outcome: 'ignored' }, what + ': a block that is here')
}

async function onward (server, core, third, r, what) {
  for (const i of order(r, 0, core.length)) {
    if (third.core.bitfield.get(i)) continue
    const answer = await compare(server, core, await request(third, i, core.length), what)
    check(await third.core.verify(proofIn(answer), null), what + ': taken')
  }
  for (let k = 0; k < 40; k++) await compare(server, core, await randomRequest(r, core), what)
}

async function one (work, seed) {
  const r = new Random(300 + seed)
  const ours = path.join(work, 'ours-' + seed)
  const stores = ['source', 'shadow', 'third'].map((n) => new Corestore(path.join(work, n + seed)))
  const drive = new Hyperdrive(stores[0])
  const model = new Map()
  await drive.ready()
  for (let v = 0; v < 3; v++) {
    for (const op of randomVersion(r, model, 1 + r.below(25))) {
      if (op.op === 'put') await drive.put(op.path, op.data, { executable: op.executable })
      else if (op.op === 'del') await drive.del(op.path)
      else await drive.symlink(op.path, op.linkname)
    }
    for (const job of ['apply', 'serve']) {
      const tool = new Lines('core_proofs', [job, ours])
      for (const core of [drive.core, drive.blobs.core]) {
        if (!core.length) continue
        const to = stores[job === 'apply' ? 1 : 2].get({ key: core.key })
        await to.ready()
        const what = job + ' ' + seed + '.' + v + (core === drive.core ? ' db' : ' blobs')
        if (job === 'apply') await feed(tool, core, to, r, what)
        else await onward(tool, core, to, r, what)
      }
      same(await tool.close(), 0, 'core_proofs ' + job)
    }
  }
  const copied = new Hyperdrive(stores[2], drive.key)
  await copied.ready()
  await copied.getBlobs()
  same(await listTheirs(copied), listModel(model), 'seed ' + seed + ': content at the third')
  for (const s of stores) await s.close()
}

main(async (work) => {
  for (let seed = 1; seed <= SEEDS; seed++) await one(work, seed)
})
