// What the interop programs share: running our tools, listing drives,
// random files, and counting checks.
'use strict'
const { spawn, spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const readline = require('readline')
const c = require('compact-encoding')
const hypercoreCrypto = require('hypercore-crypto')
const messages = require('hypercore/lib/messages')

const BUILD = path.resolve(process.argv[2] || 'build')
exports.tool = (name) => path.join(BUILD, 'tools', name)
exports.bin = (name) => path.join(BUILD, 'bin', name)

let passed = 0
let failed = 0
let lastCheck = 'nothing'

exports.check = function (ok, what) {
  lastCheck = what
  if (ok) passed++
  else {
    failed++
    console.log('FAIL: ' + what)
  }
  return ok
}

exports.same = function (got, want, what) {
  const a = JSON.stringify(got)
  const b = JSON.stringify(want)
  if (exports.check(a === b, what)) return true
  let i = 0
  while (a && b && a[i] === b[i]) i++
  const cut = (s) => String(s).slice(Math.max(0, i - 80), i + 200)
  console.log('  got  ...' + cut(a))
  console.log('  want ...' + cut(b))
  return false
}

// Run main(work); the work folder is removed afterwards.
exports.main = async function (main) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'interop-'))
  // A promise nobody will settle lets node end without a word.
  process.on('beforeExit', () => {
    console.log('FAIL: hangs after ' + lastCheck)
    console.log(passed + ' passed, ' + (failed + 1) + ' failed')
    process.exit(1)
  })
  try {
    await main(work)
  } catch (err) {
    exports.check(false, err.stack)
  }
  fs.rmSync(work, { recursive: true, force: true })
  console.log(passed + ' passed, ' + failed + ' failed')
  process.exit(failed || !passed ? 1 : 0)
}

// A tool that answers each line with a line.
exports.Lines = class Lines {
  constructor (name, args) {
    this.process = spawn(exports.tool(name), args, {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    this.waiting = []
    this.process.on('close', (code) => {
      this.code = code
      for (const w of this.waiting) w(JSON.stringify({ error: name + ' ended with ' + code }))
    })
    this.process.stdin.on('error', () => {})
    readline.createInterface({ input: this.process.stdout }).on('line', (l) => {
      this.waiting.shift()(l)
    })
  }

  send (message) {
    this.process.stdin.write(JSON.stringify(message) + '\n')
  }

  ask (message) {
    if (this.code !== undefined) throw new Error('tool has ended with ' + this.code)
    this.send(message)
    return new Promise((resolve) => {
      this.waiting.push((line) => resolve(JSON.parse(line)))
    })
  }

  close () {
    if (this.code !== undefined) return this.code
    this.process.stdin.end()
    return new Promise((resolve) => this.process.on('close', resolve))
  }
}

exports.run = function (program, args, opts = {}) {
  const p = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...opts })
  if (p.error) throw p.error
  if (p.status !== 0) {
    throw new Error([path.basename(program), ...args].join(' ') + ': exit ' +
      p.status + ' ' + p.stderr + p.stdout)
  }
  return p.stdout
}

// Our view of a drive: every core verified, every content read.
exports.listOurs = function (store, key, version) {
  const args = [store, key.toString('hex')]
  if (version !== undefined) args.push(String(version))
  const lines = exports.run(exports.tool('verify'), args).trim().split('\n').map((l) => JSON.parse(l))
  const head = lines.pop()
  return { head, entries: lines.filter((l) => !l.core) }
}

exports.entryOf = function (file) {
  return {
    path: file.path,
    executable: !!file.executable,
    linkname: file.linkname || null,
    size: file.linkname ? 0 : file.data.length,
    hash: file.linkname ? '' : hypercoreCrypto.hash(file.data).toString('hex')
  }
}

// An empty file staged with dedup has a block map of no blocks, which the
// reference writes but cannot read.
function content (drive, entry) {
  const blob = entry.value.blob
  if (!blob || (blob.blockMap && blob.blockLength === 0)) return Buffer.alloc(0)
  return drive.get(entry, { wait: false })
}

// Their view of a drive, in the same form.
exports.listTheirs = async function (drive) {
  const out = []
  for await (const e of drive.list('/', { wait: false })) {
    const file = { path: e.key, executable: e.value.executable, linkname: e.value.linkname }
    if (!e.value.linkname) file.data = await content(drive, e)
    if (file.data === null) throw new Error('no content of ' + e.key)
    const row = exports.entryOf(file)
    if (!e.value.blob) row.hash = ''
    out.push(row)
  }
  return out
}

exports.byPath = (a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))

// xorshift32: the same numbers everywhere
exports.Random = class Random {
  constructor (seed) {
    this.x = (seed * 2654435761) >>> 0 || 1
  }

  next () {
    let x = this.x
    x ^= (x << 13) >>> 0
    x >>>= 0
    x ^= x >>> 17
    x ^= (x << 5) >>> 0
    return (this.x = x >>> 0)
  }

  below (n) {
    return this.next() % n
  }

  pick (list) {
    return list[this.below(list.length)]
  }

  bytes (n) {
    const b = Buffer.alloc(n)
    for (let i = 0; i < n; i++) b[i] = this.next() >>> 11
    return b
  }
}

const NAMES = ['a', 'b', 'B', 'lib', 'src', 'index.js', 'ünï', '☃ "q".txt', 'x.tar.gz', '.hidden', 'z']
const SIZES = [0, 1, 17, 4096, 65535, 65536, 65537, 131072, 200000, 700000]

exports.randomPath = function (r) {
  let p = ''
  for (let i = r.below(3); i >= 0; i--) p += '/' + r.pick(NAMES)
  return p + r.below(30)
}

// Content that shares parts with earlier content, so that chunks are reused.
exports.randomData = function (r, known) {
  const size = r.pick(SIZES)
  const old = known.length ? r.pick(known) : null
  if (!old || !old.length || r.below(3) === 0) return r.bytes(size)
  const at = r.below(old.length)
  return Buffer.concat([old.subarray(0, at), r.bytes(r.below(500)), old.subarray(at)]).subarray(0, 1 << 20)
}

// One random version: operations, applied to the model (path -> file).
exports.randomVersion = function (r, model, count) {
  const ops = []
  for (let i = 0; i < count; i++) {
    const paths = [...model.keys()]
    const kind = r.below(10)
    if (kind < 2 && paths.length) {
      const p = r.pick(paths)
      model.delete(p)
      ops.push({ op: 'del', path: p })
      continue
    }
    const p = paths.length && r.below(3) === 0 ? r.pick(paths) : exports.randomPath(r)
    if (kind === 2) {
      const file = { path: p, linkname: r.pick(['x', '../a/b', '/abs/olute', 'ünï']) }
      model.set(p, file)
      ops.push({ op: 'symlink', ...file })
    } else {
      const known = [...model.values()].filter((f) => f.data).map((f) => f.data)
      const file = { path: p, data: exports.randomData(r, known), executable: r.below(4) === 0 }
      model.set(p, file)
      ops.push({ op: 'put', ...file })
    }
  }
  return ops
}

exports.listModel = (model) => [...model.values()].map(exports.entryOf).sort(exports.byPath)

// -- proofs ----------------------------------------------------------------

const hex = (b) => Buffer.from(b).toString('hex')
const unhex = (s) => Buffer.from(s, 'hex')
const nodesOut = (list) => list.map((n) => ({ index: n.index, size: n.size, hash: hex(n.hash) }))
const nodesIn = (list) => list.map((n) => ({ index: n.index, size: n.size, hash: unhex(n.hash) }))

exports.proofOut = function (key, p, manifest) {
  const o = { key: hex(key), fork: p.fork }
  if (p.block) o.block = { index: p.block.index, value: hex(p.block.value), nodes: nodesOut(p.block.nodes) }
  if (p.hash) o.hash = { index: p.hash.index, nodes: nodesOut(p.hash.nodes) }
  if (p.seek) o.seek = { bytes: p.seek.bytes, nodes: nodesOut(p.seek.nodes) }
  if (p.upgrade) {
    o.upgrade = {
      start: p.upgrade.start,
      length: p.upgrade.length,
      nodes: nodesOut(p.upgrade.nodes),
      additionalNodes: nodesOut(p.upgrade.additionalNodes),
      signature: hex(p.upgrade.signature)
    }
  }
  o.manifest = manifest ? hex(c.encode(messages.manifest, manifest)) : null
  return o
}

exports.proofIn = function (o) {
  return {
    fork: o.fork,
    block: o.block ? { index: o.block.index, value: unhex(o.block.value), nodes: nodesIn(o.block.nodes) } : null,
    hash: o.hash ? { index: o.hash.index, nodes: nodesIn(o.hash.nodes) } : null,
    seek: o.seek ? { bytes: o.seek.bytes, nodes: nodesIn(o.seek.nodes) } : null,
    upgrade: o.upgrade
      ? {
          start: o.upgrade.start,
          length: o.upgrade.length,
          nodes: nodesIn(o.upgrade.nodes),
          additionalNodes: nodesIn(o.upgrade.additionalNodes),
          signature: unhex(o.upgrade.signature)
        }
      : null,
    manifest: o.manifest ? c.decode(messages.manifest, unhex(o.manifest)) : null
  }
}

// A request as a replicator sends it: the levels to climb are those the asker
// does not know; for a block beyond its length it cannot know.
exports.request = async function (core, index, length) {
  const q = { key: hex(core.key), block: { index, nodes: await core.missingNodes(index) } }
  if (core.length < length) {
    q.upgrade = { start: core.length, length: length - core.length }
    q.manifest = true
  }
  return q
}

// All block numbers, in an order that makes the proofs differ.
exports.order = function (r, from, to) {
  const list = []
  for (let i = from; i < to; i++) list.push(i)
  if (r.below(2)) return list
  for (let i = list.length - 1; i > 0; i--) {
    const j = r.below(i + 1)
    const t = list[i]
    list[i] = list[j]
    list[j] = t
  }
  return list
}
