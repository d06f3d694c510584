// Signers on both sides: keys of hypercore-sign 3.0.0 and of ours, requests
// answered by both, responses equal to the byte (Ed25519 is deterministic).
// Both commands are driven alike: over pipes, a line for each confirmation,
// then the password as one write without a newline.
'use strict'
const { spawn, spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const c = require('compact-encoding')
const crypto = require('hypercore-crypto')
const messages = require('hypercore/lib/messages')
const Verifier = require('hypercore/lib/verifier')
require('../vectors/gen/secure-memory')
const lib = require('hypercore-sign-lib')
const sodium = require('sodium-native')
const z32 = require('z32')
const { main, same, check, bin } = require('./common')

const PASSWORD = 'interop pass phrase'
const THEIRS = path.dirname(require.resolve('hypercore-sign/package.json'))

const theirs = (name, ...args) => [process.execPath, [path.join(THEIRS, name + '.js'), ...args]]
const ours = (name, ...args) => [bin(name), args]

// Runs a command and answers each of its prompts once it was printed.
function converse ([program, args], dir, password = PASSWORD) {
  const answers = {
    'Confirm? [y/N] ': 'y\n',
    'Keypair password: ': password,
    'Confirm password: ': password
  }
  return new Promise((resolve, reject) => {
    const p = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HYPERCORE_SIGN_KEYS_DIRECTORY: dir }
    })
    let out = ''
    let err = ''
    let seen = 0
    p.on('error', reject)
    p.stdin.on('error', () => {})
    p.stderr.on('data', (d) => { err += d })
    p.stdout.on('data', (d) => {
      out += d
      for (const [prompt, answer] of Object.entries(answers)) {
        if (!out.slice(seen).endsWith(prompt)) continue
        seen = out.length
        p.stdin.write(answer)
      }
    })
    p.on('close', (code) => resolve({ code, out, err }))
  })
}

const reply = (r) => r.out.split('Reply with:')[1].trim()

async function signed (command, dir, what) {
  const r = await converse(command, dir)
  if (!check(r.code === 0 && r.out.includes('Reply with:'), what + ' signs')) {
    throw new Error(what + ': ' + r.code + '\n' + r.out + r.err)
  }
  return reply(r)
}

function requestOf (version, publicKeys, kind) {
  const manifest = Verifier.createManifest({
    version: 1,
    quorum: 2,
    allowPatch: false,
    signers: publicKeys.map((publicKey) => ({ publicKey, namespace: crypto.hash(Buffer.from('interop')) }))
  })
  const parts = [
    c.encode(c.uint, version),
    ...(version > 2 ? [Buffer.from([0])] : []),
    c.encode(c.uint, 7),
    c.encode(c.uint, 0),
    crypto.hash(Buffer.from('tree')),
    c.encode(messages.manifest, manifest),
    ...(kind === 'drive'
      ? [Buffer.from([1]), c.encode(c.uint, 3), crypto.hash(Buffer.from('blobs'))]
      : [Buffer.from([0])])
  ]
  return z32.encode(Buffer.concat(parts))
}

const publicKey = (dir) => z32.decode(fs.readFileSync(path.join(dir, 'default.public'), 'utf8'))
const modes = (dir) => ['', 'default', 'default.public'].map((f) => (fs.statSync(path.join(dir, f)).mode & 0o777).toString(8))

function guarded (text) {
  const b = sodium.sodium_malloc(Buffer.byteLength(text))
  b.write(text)
  return b
}

// hypercore-sign 3.0.0 made the key; both sign with it, both verify.
async function legacyKey (dir, others) {
  const made = await converse(theirs('generate-keys'), dir)
  check(made.code === 0, 'hypercore-sign 3.0.0 makes a key')
  same(modes(dir), ['700', '400', '600'], 'modes of its files')
  const pub = publicKey(dir)
  const request = requestOf(2, [...others, pub], 'drive')
  const want = await signed(theirs('sign', request), dir, 'hypercore-sign 3.0.0')
  same(await signed(ours('hypercore-sign', request), dir, 'ours with its key'), want, 'the same response, version 2, drive')
  const key = z32.encode(pub)
  const yes = spawnSync(...theirs('verify', want, request, key), { encoding: 'utf8' })
  check(yes.status === 0 && yes.stdout.includes('Signature verified.'), 'hypercore-sign 3.0.0 verifies')
  const mine = spawnSync(...ours('hypercore-verify', want, request, key), { encoding: 'utf8' })
  check(mine.status === 0 && mine.stdout.includes('Signature verified.'), 'ours verifies')
  check(mine.stdout.includes(key + ' has signed the following request:'), 'in the same words')
  const other = requestOf(2, [...others, pub], 'core')
  for (const command of [theirs('verify', want, other, key), ours('hypercore-verify', want, other, key)]) {
    const no = spawnSync(...command, { encoding: 'utf8' })
    check(no.status !== 0 && no.stderr.includes('Signature was not made over this request'), 'another request is refused')
  }
  return pub
}

// Ours made the key; hypercore-sign-lib signs with it too, and 3.0.0, which
// knows version 0 only, says no.
async function ownKey (dir, others) {
  const made = await converse(ours('hypercore-sign-generate-keys'), dir)
  check(made.code === 0, 'ours makes a key')
  same(modes(dir), ['700', '400', '600'], 'modes of its files')
  const pub = publicKey(dir)
  const file = z32.decode(fs.readFileSync(path.join(dir, 'default'), 'utf8'))
  const info = lib.getKeyInfo(file)
  same([info.version, info.params, info.publicKey.equals(pub)],
    [1, { ops: 33554432, mem: 1073741824 }, true], 'hypercore-sign-lib reads it')
  const request = requestOf(3, [pub, ...others], 'drive')
  const want = z32.encode(await lib.sign(z32.decode(request), file, guarded(PASSWORD)))
  same(await signed(ours('hypercore-sign', 'sign', request), dir, 'ours with its key'), want, 'the same response, version 3, drive')
  check(lib.verify(z32.decode(want), z32.decode(request), pub).length === 7, 'hypercore-sign-lib verifies')
  const old = await converse(theirs('sign', requestOf(2, [pub, ...others], 'core')), dir)
  check(old.code !== 0 && !old.out.includes('Reply with:'), 'hypercore-sign 3.0.0 knows no key file of version 1')
}

// A wrong password, in both: no response, no key material.
async function wrongPassword (dir, request) {
  for (const command of [theirs('sign', request), ours('hypercore-sign', request)]) {
    const r = await converse(command, dir, 'some other phrase')
    check(r.code !== 0 && (r.out + r.err).includes('Key decryption failed'), 'wrong password')
    check(!r.out.includes('Reply with:'), 'no response')
  }
}

main(async (work) => {
  const dir = (name) => path.join(work, name)
  const others = ['a', 'b'].map((s) => crypto.keyPair(crypto.hash(Buffer.from(s))).publicKey)
  const pub = await legacyKey(dir('theirs'), others)
  await ownKey(dir('ours'), others)
  await wrongPassword(dir('theirs'), requestOf(2, [...others, pub], 'core'))
})
