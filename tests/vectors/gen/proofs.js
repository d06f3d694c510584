// Answers of hypercore's merkle tree to very many requests, at every length of a small core. A row is
// [length, block index, block nodes, hash index, hash nodes, seek bytes, seek padding, upgrade start, upgrade length, answer];
// -1 = part absent. The answer is the BLAKE2b-256 of the encoded data message (request 0), or null if the request is refused.
const crypto = require('hypercore-crypto')
const c = require('compact-encoding')
const Corestore = require('corestore')
const { MerkleTree } = require('hypercore/lib/merkle-tree')
const messages = require('hypercore/lib/messages')
const { hex, save, tmp, rm, seed } = require('./common')

// a refused request leaves reads behind that nobody waits for
process.on('unhandledRejection', () => {})

const MAX = 20
const pair = crypto.keyPair(seed(9))
const block = (i) => Buffer.from('block ' + i + '.'.repeat(i % 11))

let x = 12345
function rnd(n) {
  x ^= x << 13
  x ^= x >>> 17
  x ^= x << 5
  x >>>= 0
  return x % n
}

async function answer(core, q) {
  const [bi, bn, hi, hn, sb, sp, us, ul] = q
  try {
    const rx = core.core.storage.read()
    const treeProof = await MerkleTree.proof(core.core.state, rx, {
      block: bi < 0 ? null : { index: bi, nodes: bn },
      hash: hi < 0 ? null : { index: hi, nodes: hn },
      seek: sb < 0 ? null : { bytes: sb, padding: sp },
      upgrade: us < 0 ? null : { start: us, length: ul }
    })
    rx.tryFlush()
    const proof = await treeProof.settle()
    if (proof.block) proof.block.value = await core.get(bi)
    return hex(crypto.hash(c.encode(messages.wire.data, { request: 0, ...proof })))
  } catch (err) {
    if (err instanceof TypeError) throw err
    return null
  }
}

// one request: block or hash or neither, seek or not, upgrade or not; mostly sensible numbers
function request(length, bytes) {
  const q = [-1, -1, -1, -1, -1, -1, -1, -1]
  const kind = rnd(5)
  const shape = rnd(4)
  if (shape & 1) {
    q[6] = rnd(length)
    q[7] = 1 + rnd(length - q[6])
  }
  if (kind < 2) {
    q[0] = rnd(length)
    q[1] = rnd(4)
  } else if (kind < 4) {
    q[2] = rnd(2 * length - 1)
    q[3] = rnd(4)
  }
  if ((shape & 2 && kind > 1) || kind === 4) {
    q[4] = rnd(bytes + 1)
    q[5] = rnd(4) === 0 ? rnd(3) : 0
  }
  if (kind === 4 && !(shape & 1)) {
    q[6] = 0
    q[7] = length
  }
  return q
}

async function main() {
  const dir = tmp()
  const store = new Corestore(dir)
  const core = store.get({ keyPair: pair })
  await core.ready()
  const rows = []
  for (let length = 1; length <= MAX; length++) {
    await core.append(block(length - 1))
    const todo = []
    for (let i = 0; i < length; i++) todo.push([i, 0, -1, -1, -1, -1, -1, -1])
    for (let n = 0; n < 100; n++) todo.push(request(length, core.byteLength))
    for (const q of todo) rows.push([length, ...q, await answer(core, q)])
  }
  save('proofs', { about: 'see gen/proofs.js', key: hex(core.key), blocks: 'block <i>, then i % 11 dots', rows })
  await store.close()
  rm(dir)
}

main()
