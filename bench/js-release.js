// js-release.js STEP STORE FILE ROUND: the steps of a release as the JavaScript
// stack does them, between cores of one store, without a swarm. Each ROUND has
// a target and a production of its own. FILE holds request and responses.
//	provision  the staged drive (js-stage.js) onto the fresh target, as pear
//	           provision mirrors it
//	request    a request for that target and two of three responses
//	verify     hyper-multisig's dry run of the commit
//	commit     the first commit
'use strict'
const fs = require('fs')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const HyperMultisig = require('hyper-multisig')
const SignRequest = require('hypercore-signing-request')
const crypto = require('hypercore-crypto')
const z32 = require('z32')

const pairs = [1, 2, 3].map((n) => crypto.keyPair(Buffer.alloc(32, n)))
const publicKeys = pairs.map((p) => z32.encode(p.publicKey))
const noSwarm = { join () {} }

function respond (request, pair) {
  const decoded = SignRequest.decode(request)
  return z32.encode(SignRequest.encodeResponse({
    version: decoded.version,
    requestHash: crypto.hash(request),
    publicKey: pair.publicKey,
    signatures: SignRequest.signable(pair.publicKey, decoded)
      .map((s) => crypto.sign(s.signable, pair.secretKey))
  }))
}

async function provision (store, target) {
  const source = new Hyperdrive(store)
  await source.ready()
  const mirror = source.mirror(target, { prune: true, batch: true })
  await mirror.done()
  console.log(target.core.length, target.blobs.core.length)
  await source.close()
}

async function request (store, target, file, round) {
  const multisig = new HyperMultisig(store, noSwarm)
  const made = await multisig.requestDrive(publicKeys, 'bench ' + round, target, 0, { force: true }).done()
  const text = z32.encode(made.request)
  fs.writeFileSync(file, [text, respond(made.request, pairs[0]), respond(made.request, pairs[2])].join('\n'))
}

async function run (store, target, file, round, method) {
  const multisig = new HyperMultisig(store, noSwarm)
  const [text, ...responses] = fs.readFileSync(file, 'utf8').split('\n')
  const done = await multisig.commitDrive(publicKeys, 'bench ' + round, target, text, responses,
    { force: true, dryRun: method === 'verify' }).done()
  console.log(done.quorum, done.result.db.batch.length)
}

async function main (step, dir, file, round) {
  const store = new Corestore(dir)
  const target = new Hyperdrive(store.namespace('target ' + round))
  await target.ready()
  if (step === 'provision') await provision(store, target)
  else if (step === 'request') await request(store, target, file, round)
  else await run(store, target, file, round, step)
  await target.close()
  await store.close()
}

main(...process.argv.slice(2))
