// Messages between signers, without a network: requests, responses, quorum
// proofs and production keys made by the original packages and read by ours,
// and the reverse. What ours assembles is judged by hypercore's verifier.
'use strict'
const path = require('path')
const c = require('compact-encoding')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const HyperMultisig = require('hyper-multisig')
const crypto = require('hypercore-crypto')
const caps = require('hypercore/lib/caps')
const messages = require('hypercore/lib/messages')
const Verifier = require('hypercore/lib/verifier')
const Request = require('hypercore-signing-request')
require('../vectors/gen/secure-memory')
const Sign = require('hypercore-sign-lib')
const sodium = require('sodium-native')
const z32 = require('z32')
const { main, check, same, Lines, Random } = require('./common')

const VECTORS = require('../vectors/signing.json')
const SEEDS = parseInt(process.env.INTEROP_SEEDS || '6')
const hex = (b) => b.toString('hex')
const seedOf = (n) => Buffer.alloc(32, n)
const pairs = [1, 2, 3, 4, 5].map((n) => crypto.keyPair(seedOf(n)))
const encoded = (manifest) => hex(c.encode(messages.manifest, manifest))

// Their request in the fields of ours.
function fields (buffer) {
  const r = Request.decode(buffer)
  const o = {
    version: r.version,
    length: r.length,
    fork: r.fork,
    treeHash: hex(r.treeHash),
    manifest: encoded(r.manifest),
    key: hex(r.key),
    hash: hex(crypto.hash(buffer)),
    kind: r.isHyperdrive ? 'drive' : 'core'
  }
  if (!r.isHyperdrive) return o
  return {
    ...o,
    blobsLength: r.content.length,
    blobsTreeHash: hex(r.content.treeHash),
    blobsKey: hex(Hyperdrive.getContentKey(r.manifest, r.key))
  }
}

// The two cores of a request, as hypercore sees them when it verifies.
function judged (buffer, signatures) {
  const r = Request.decode(buffer)
  const of = (manifest, length, treeHash, i) => {
    const key = Verifier.manifestHash(manifest)
    const batch = { key, length, fork: r.fork, hash: () => treeHash, signable: (k) => caps.treeSignable(k, treeHash, length, r.fork) }
    return new Verifier(key, Verifier.createManifest(manifest)).verify(batch, Buffer.from(signatures[i], 'hex'))
  }
  const out = [of(r.manifest, r.length, r.treeHash, 0)]
  if (r.isHyperdrive) out.push(of(Hyperdrive.getContentManifest(r.manifest, r.key), r.content.length, r.content.treeHash, 1))
  return out
}

// The public functions of hyper-multisig: the key it opens for a config.
async function theirKeys (store, config) {
  const m = new HyperMultisig(store, null)
  const made = await m.createDrive(config.publicKeys, config.namespace, { quorum: config.quorum })
  await made.blobsCore.ready()
  return { key: hex(made.key), blobsKey: hex(made.blobsKey), opened: hex(made.core.key), manifest: made.manifest }
}

async function keys (tool, store, r) {
  const forms = [(p) => z32.encode(p), hex, (p) => 'pear://' + z32.encode(p)]
  const namespace = r.pick(['a/b', 'ünï ☃', 'x', 'holepunchto/fixture', ' \t"\\'])
  const signers = pairs.slice(0, 1 + r.below(5)).sort(() => r.below(3) - 1)
  const quorum = r.below(2) ? 1 + r.below(signers.length) : undefined
  const theirs = await theirKeys(store, { publicKeys: signers.map((p) => z32.encode(p.publicKey)), namespace, quorum })
  check(theirs.key === theirs.opened, 'their key is that of the core')
  const config = { publicKeys: signers.map((p) => r.pick(forms)(p.publicKey)), namespace, quorum }
  const ours = await tool.ask({ op: 'config', form: 'hyper', json: JSON.stringify(config) })
  same([ours.key, ours.blobsKey, ours.manifest], [theirs.key, theirs.blobsKey, encoded(theirs.manifest)],
    'the production key of ' + JSON.stringify(config))
  return { manifest: theirs.manifest, signers }
}

// One request, there and back, answered by both, all its quorums judged.
async function conversation (tool, buffer, signers) {
  const text = z32.encode(buffer)
  const theirs = fields(buffer)
  const ours = await tool.ask({ op: 'request', text })
  same(Object.keys(theirs).map((k) => ours[k]), Object.values(theirs), 'a request of theirs')
  const sealed = await tool.ask({ op: 'seal', ...theirs })
  same(sealed.text, text, 'sealed by ours')
  const answers = []
  for (const pair of signers) {
    const answer = await tool.ask({ op: 'answer', text, seed: hex(seedOf(pairs.indexOf(pair) + 1)) })
    const checked = Sign.verify(z32.decode(answer.text), buffer, pair.publicKey)
    same(checked.length, theirs.length, 'an answer of ours verified')
    const decoded = Request.decodeResponse(z32.decode(answer.text))
    same(z32.encode(Request.encodeResponse(decoded)), answer.text, 'and encoded by theirs')
    const verified = await tool.ask({ op: 'verify', text, response: answer.text })
    same(verified.publicKey, hex(pair.publicKey), 'an answer of theirs verified')
    answers.push(answer.text)
  }
  const { quorum } = Request.decode(buffer).manifest
  for (let set = 0; set < 1 << signers.length; set++) {
    const responses = answers.filter((_, i) => set & (1 << i)).reverse()
    const proof = await tool.ask({ op: 'proof', text, responses })
    if (responses.length < quorum) {
      same(proof.error, 'Insufficient quorum: ' + responses.length + ' / ' + quorum, 'below the quorum')
    } else if (check(!proof.error, 'a proof: ' + proof.error)) {
      check(judged(buffer, proof.signatures).every((yes) => yes), 'a proof of ours for set ' + set)
      const spoilt = proof.signatures.map((s) => s.slice(0, 20) + (s[20] === '0' ? '1' : '0') + s.slice(21))
      check(judged(buffer, spoilt).every((yes) => !yes), 'a spoilt one for set ' + set)
    }
  }
}

// Signed with a key file by hypercore-sign-lib, verified by ours.
async function keyFiles (tool, buffer) {
  for (const row of VECTORS.keyFiles.slice(0, 3)) {
    const password = sodium.sodium_malloc(Buffer.byteLength(row.password))
    password.write(row.password)
    const response = await Sign.sign(buffer, Buffer.from(row.file, 'hex'), password)
    const answer = await tool.ask({ op: 'verify', text: z32.encode(buffer), response: z32.encode(response) })
    same(answer.publicKey, row.publicKey, 'key file ' + row.n)
  }
}

// A byte changed anywhere: both decode it to the same, or both refuse. Ours
// alone refuses a manifest that nobody can satisfy.
async function damaged (tool, buffer, r) {
  for (let i = 0; i < 60; i++) {
    const b = Buffer.from(buffer)
    b[r.below(b.length)] ^= 1 << r.below(8)
    const cut = r.below(4) === 0 ? b.subarray(0, r.below(b.length)) : b
    let theirs = null
    try {
      theirs = fields(cut)
    } catch {}
    const ours = await tool.ask({ op: 'request', text: z32.encode(cut) })
    if (!theirs) check(ours.error, 'refused by both: ' + hex(cut))
    else if (ours.error && !/manifest/.test(ours.error)) same(ours.error, null, 'read by both: ' + hex(cut))
    else if (!ours.error) same(Object.keys(theirs).map((k) => ours[k]), Object.values(theirs), 'read alike: ' + hex(cut))
  }
}

main(async (work) => {
  const tool = new Lines('signing_lines', [])
  const store = new Corestore(path.join(work, 'store'))
  const drive = new Hyperdrive(store.namespace('source'))
  await drive.ready()
  for (let i = 0; i < 4; i++) await drive.put('/f' + i, Buffer.alloc(70000 * i + 1, i))
  const core = store.get({ name: 'plain' })
  await core.append(['x', 'y', 'z'])
  for (let seed = 1; seed <= SEEDS; seed++) {
    const r = new Random(seed)
    const { manifest, signers } = await keys(tool, store, r)
    const full = Verifier.createManifest(manifest)
    for (const legacy of [false, true]) {
      const length = 1 + r.below(drive.core.length)
      const ofDrive = await Request.generateDrive(drive, { manifest: full, length, legacy })
      await conversation(tool, ofDrive, signers)
      const ofCore = await Request.generate(core, { manifest: full, length: 1 + r.below(3), legacy })
      await conversation(tool, ofCore, signers)
      await damaged(tool, r.below(2) ? ofDrive : ofCore, r)
    }
  }
  for (const row of VECTORS.requests) {
    if (/legacy key|SENSITIVE|own single/.test(row.label)) continue
    await keyFiles(tool, Buffer.from(row.hex, 'hex'))
  }
  same(await tool.close(), 0, 'the tool ends well')
  await store.close()
})
