// A release signed by both sides. First: our drive, our request, one signer
// with hypercore-sign-lib and one with our hypercore-sign, committed by
// hyper-multisig and by ours, which must agree. Second: a source and a request
// made in JavaScript on top of that, mixed signers again, committed by ours;
// the real hypercore takes both cores from us and verifies the quorum.
'use strict'
const fs = require('fs')
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const HyperMultisig = require('hyper-multisig')
require('../vectors/gen/secure-memory')
const CoreSign = require('hypercore-sign-lib')
const SignRequest = require('hypercore-signing-request')
const HypercoreID = require('hypercore-id-encoding')
const sodium = require('sodium-native')
const z32 = require('z32')
const { main, check, same, run, bin, Lines, Random, listOurs, listTheirs } = require('./common')
const { pull, push } = require('./carry')

const VECTORS = require('../vectors/signing.json')
const SIGNERS = VECTORS.keyFiles.slice(0, 3)
const NAMESPACE = 'interop/release'
const KEYS = SIGNERS.map((s) => s.publicKeyZ32)
const LOCAL = ['--min-peers', '0', '--min-full-copies', '0']
const noSwarm = { join () {} }

function password () {
  const b = sodium.sodium_malloc(Buffer.byteLength(VECTORS.password))
  b.write(VECTORS.password)
  return b
}

async function signTheirs (request, signer) {
  const key = Buffer.from(signer.file, 'hex')
  const publicKey = Buffer.from(signer.publicKey, 'hex')
  return z32.encode(await CoreSign.sign(z32.decode(request), key, password(), publicKey))
}

function signOurs (work, request, signer) {
  const dir = path.join(work, 'keys-' + signer.n)
  if (!fs.existsSync(dir)) {
    fs.mkdirSync(dir, { mode: 0o700 })
    fs.writeFileSync(path.join(dir, 'default'), signer.fileZ32, { mode: 0o400 })
    fs.writeFileSync(path.join(dir, 'default.public'), signer.publicKeyZ32, { mode: 0o600 })
  }
  const info = run(bin('hyper-multisig'), ['inspect', '--json', request])
  const hash = info.match(/"hash":"([0-9a-f]{64})"/)[1]
  const out = run(bin('hypercore-sign'),
    ['-d', dir, '--yes', '--expect-hash', hash, '--password-fd', '0', request],
    { input: VECTORS.password + '\n' })
  return out.split('Reply with:')[1].trim()
}

// Ed25519 has one signature for a message: both signers give the same bytes.
async function agree (work, request, signer) {
  const theirs = await signTheirs(request, signer)
  same(signOurs(work, request, signer), theirs, 'signer ' + signer.n + ' answers alike')
  return theirs
}

function folder (dir, version, upgrade) {
  fs.rmSync(dir, { recursive: true, force: true })
  fs.mkdirSync(path.join(dir, 'by-arch/linux-x64/app'), { recursive: true })
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ name: 'release', version, upgrade }))
  const r = new Random(version.length + version.charCodeAt(4))
  for (const [name, size] of [['app', 300000], ['lib.so', 70000], ['empty', 0]]) {
    fs.writeFileSync(path.join(dir, 'by-arch/linux-x64/app', name), r.bytes(size), { mode: 0o755 })
  }
}

class Ours {
  constructor (work) {
    this.work = work
    this.store = path.join(work, 'ours')
    this.config = path.join(work, 'multisig.json')
  }

  pear (name, ...args) {
    return run(bin('pear-' + name), ['--storage', this.store, ...args])
  }

  multisig (...args) {
    return run(bin('hyper-multisig'),
      ['--config', this.config, '--storage', this.store, ...LOCAL, ...args])
  }

  configure (source) {
    fs.writeFileSync(this.config, JSON.stringify({
      type: 'drive', publicKeys: KEYS, namespace: NAMESPACE, quorum: 2, srcKey: source
    }))
  }

  verlink (link) {
    return this.pear('info', '--json', link).match(/"verlink":"([^"]*)"/)[1]
  }
}

// Both cores of a drive of ours into a JavaScript store.
async function carryDrive (ours, key, db, blobs, what) {
  const server = new Lines('core_proofs', ['serve', ours.store])
  const r = new Random(7)
  await pull(server, db, r, what + ' db')
  await pull(server, blobs, r, what + ' blobs')
  await server.close()
}

async function first (ours, store, multisig, dir) {
  const stage = ours.pear('touch').trim()
  const prerelease = ours.pear('touch').trim()
  ours.configure(prerelease.slice('pear://'.length))
  const link = ours.multisig('link').match(/pear:\/\/[a-z0-9]+/)[0]
  const key = HypercoreID.decode(link)
  same(link, 'pear://' + z32.encode(HyperMultisig.getCoreKey(KEYS, NAMESPACE, { quorum: 2 })), 'one link')

  folder(dir, '1.0.0', link)
  ours.pear('stage', stage, dir)
  ours.pear('provision', '--yes', ours.verlink(stage), prerelease, 'pear://0.0.' + z32.encode(key))
  const request = ours.multisig('request', ours.verlink(prerelease))
    .match(/hypercore-sign ([a-z0-9]+)/)[1]
  const responses = [
    await agree(ours.work, request, SIGNERS[2]),
    signOurs(ours.work, request, SIGNERS[0])
  ]

  const source = new Hyperdrive(store, HypercoreID.decode(prerelease))
  const sourceDb = store.get({ key: source.key })
  await sourceDb.ready()
  const server = new Lines('core_proofs', ['serve', ours.store])
  await pull(server, sourceDb, new Random(3), 'source db')
  await source.ready()
  const blobs = await source.getBlobs()
  await pull(server, blobs.core, new Random(4), 'source blobs')
  await server.close()

  const theirs = await multisig.commitDrive(KEYS, NAMESPACE, source, request, responses,
    { quorum: 2, force: true }).done()
  ours.multisig('commit', '--first-commit', request, ...responses)
  same(listOurs(ours.store, key).head.treeHash,
    theirs.result.db.destCore.treeHashHex, 'first release: same metadata on both sides')
  same(theirs.result.blobs.destCore.length, listOurs(ours.store, key).head.blobs,
    'first release: same number of blocks')
  return { key, link, stage }
}

// What pear provision does, in JavaScript: production's blocks, then the
// mirrored difference.
async function provisionTheirs (store, production, dir) {
  const target = new Hyperdrive(store.namespace('second'))
  await target.ready()
  await target.getBlobs()
  for (const [to, from] of [[target.core, production.core], [target.blobs.core, production.blobsCore]]) {
    for (let i = 0; i < from.length; i++) await to.append(await from.get(i))
  }
  const staged = new Hyperdrive(store.namespace('staged'))
  await staged.ready()
  const Localdrive = require('localdrive')
  await new Localdrive(dir).mirror(staged, { prune: true, batch: true }).done()
  await staged.mirror(target, { prune: true, batch: true }).done()
  return target
}

async function second (ours, work, store, multisig, release, dir) {
  folder(dir, '1.0.1', release.link)
  const production = await multisig.createDrive(KEYS, NAMESPACE, { quorum: 2 })
  await production.blobsCore.ready()
  const source = await provisionTheirs(store, production, dir)
  const { request } = await multisig.requestDrive(KEYS, NAMESPACE, source, 0,
    { quorum: 2, force: true, legacy: true }).done()
  const text = z32.encode(request)
  const responses = [signOurs(work, text, SIGNERS[1]), await signTheirs(text, SIGNERS[0])]

  const shadows = new Corestore(path.join(work, 'shadow'))
  const taker = new Lines('core_proofs', ['apply', ours.store])
  for (const core of [source.core, source.blobs.core]) {
    const shadow = shadows.get({ key: core.key })
    await shadow.ready()
    await push(taker, core, shadow, new Random(5), 'second source')
  }
  await taker.close()
  await shadows.close()

  ours.configure(z32.encode(source.key))
  const verified = ours.multisig('verify', text, ...responses)
  check(/Quorum: 2 \/ 2/.test(verified), 'our verify counts both')
  ours.multisig('commit', text, ...responses)
  // Their production is at the first release: it grows by what we signed.
  await carryDrive(ours, release.key, production.core, production.blobsCore, 'second release')
  const drive = new Hyperdrive(store, release.key)
  await drive.ready()
  same(await listTheirs(drive), listOurs(ours.store, release.key).entries, 'second release: same content')
  same(await drive.get('/package.json').then(JSON.parse).then((p) => p.version), '1.0.1', 'version')
  same(SignRequest.decode(request).length, production.core.length, 'length as requested')
}

main(async (work) => {
  const ours = new Ours(work)
  const store = new Corestore(path.join(work, 'theirs'))
  const multisig = new HyperMultisig(store, noSwarm)
  const dir = path.join(work, 'build')
  const release = await first(ours, store, multisig, dir)
  await second(ours, work, store, multisig, release, dir)
  await store.close()
})
