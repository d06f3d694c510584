// Carry a core from one side to the other, block by block, as a replicator
// would: every proof is verified by the side that takes it.
'use strict'
const { check, same, proofIn, proofOut, request, order } = require('./common')

// Fetch all blocks of a core from `server`, as a replicator would.
exports.pull = async function (server, core, r, what) {
  const head = await server.ask({ key: core.key.toString('hex') })
  if (!check(!head.error, what + ': ' + head.error)) return
  for (const i of order(r, 0, head.length)) {
    if (core.core.bitfield.get(i)) continue
    const answer = await server.ask(await request(core, i, head.length))
    if (answer.error) throw new Error(what + ' block ' + i + ': ' + answer.error)
    const ok = await core.core.verify(proofIn(answer), null)
    if (!ok) throw new Error(what + ' block ' + i + ' not taken')
  }
  same(core.length, head.length, what + ': length')
  same(core.byteLength, head.byteLength, what + ': byte length')
  same(Buffer.from(await core.treeHash()).toString('hex'), head.treeHash, what + ': tree hash')
  same(core.contiguousLength, head.length, what + ': contiguous')
}

// Serve `source` to our store. A shadow replica in JavaScript tells which
// levels a replicator would ask for, and checks the proofs on the way.
// before(line, i) sees each proof before it is taken.
exports.push = async function (taker, source, shadow, r, what, before) {
  const manifest = source.core.header.manifest
  let outcome = null
  for (const i of order(r, 0, source.length)) {
    if (shadow.core.bitfield.get(i)) continue
    const q = await request(shadow, i, source.length)
    const proof = await source.proof(q)
    const line = proofOut(source.key, proof, q.manifest ? manifest : null)
    if (before) await before(line, i)
    outcome = await taker.ask(line)
    if (outcome.error) throw new Error(what + ' block ' + i + ': ' + outcome.error)
    await shadow.core.verify(proofIn(line), null)
  }
  const head = await taker.ask({ key: source.key.toString('hex'), commit: true })
  same(head.error, undefined, what + ': commit')
  same(head.length, source.length, what + ': length')
  same(head.byteLength, source.byteLength, what + ': byte length')
  same(head.contiguous, source.length, what + ': contiguous')
  same(head.treeHash, Buffer.from(await source.treeHash()).toString('hex'), what + ': tree hash')
}
