// net-js-peer.js STORAGE [HOST]: a peer made of the JavaScript packages, in a process
// of its own so that it can be killed. It reads one JSON command a line and
// answers each, in order, with one line: what was asked for, or {"error"}.
// HOST is the address it binds, of the loopback if not given.
//
// A direct connection needs no other DHT node: with `bootstrap: []` nothing is
// looked up, with `firewalled: false` requests leave from the socket on which
// handshakes are answered, and a list of one port pair, [0, 0], means any free
// port (a plain 0 means the default one). The client hands HOST:PORT over as a
// relay address; the server itself answers there.
//
//	{"op":"listen"}                     address, key
//	{"op":"connect","peer":"H:P:KEY"}   answers when the stream is open
//	{"op":"drive","key":Z32}            opens a drive; without key a new one
//	{"op":"put","path","size","seed"}   a file of random bytes
//	{"op":"many","count","size","seed"} files /many/dN/N
//	{"op":"stage","folder","dedup"}     a local folder into the drive
//	{"op":"del","path"}
//	{"op":"truncate","version"}         back to that version, next fork
//	{"op":"clear","start","end"}        blocks of the contents core
//	{"op":"download","folder"}          all of the drive, or one folder of it
//	{"op":"follow"}                     both cores, whole, for ever
//	{"op":"wait","core":"db"|"blobs","remote":KEY,"length","fork","contiguous"}
//	                                    until ours (or, with remote, what that
//	                                    peer says) is as told; then as stat
//	{"op":"stat"}                       lengths, tree hashes, peers, traffic
//	{"op":"have"}                       numbers of the blocks present
//	{"op":"files"}                      path, size and SHA-256 of each file
//	{"op":"write","folder"}             the drive into a local folder
//	{"op":"disconnect"} {"op":"close"} {"op":"crash"}
'use strict'
const crypto = require('crypto')
const readline = require('readline')
const { Readable } = require('stream')
const Corestore = require('corestore')
const DHT = require('hyperdht')
const Hyperdrive = require('hyperdrive')
const Localdrive = require('localdrive')
const id = require('hypercore-id-encoding')

exports.Peer = class Peer {
  constructor (storage, host = '127.0.0.1') {
    this.store = new Corestore(storage)
    this.dht = new DHT({
      bootstrap: [],
      host,
      port: [0, 0],
      firewalled: false,
      quickFirewall: false,
      ephemeral: true
    })
    this.conns = new Set()
    this.gone = { rx: 0, tx: 0, resent: 0 }
    this.drive = null
    this.watchers = new Set()
    this.poke = this.poke.bind(this)
  }

  // Something came in or changed: whoever waits looks again.
  poke () {
    if (this.poked || !this.watchers.size) return
    this.poked = setImmediate(() => {
      this.poked = null
      for (const w of this.watchers) w()
    })
  }

  until (holds) {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          if (!holds()) return
          resolve()
        } catch (err) {
          reject(err)
        }
        this.watchers.delete(look)
      }
      this.watchers.add(look)
      look()
    })
  }

  attach (conn) {
    this.conns.add(conn)
    conn.on('error', () => {})
    conn.on('data', this.poke)
    conn.on('close', () => {
      this.conns.delete(conn)
      for (const k of Object.keys(this.gone)) this.gone[k] += traffic(conn)[k]
      this.poke()
    })
    this.store.replicate(conn)
    this.poke()
  }

  async listen ({ seed }) {
    const pair = DHT.keyPair(seed === undefined ? undefined : Buffer.alloc(32, seed))
    this.server = this.dht.createServer((conn) => this.attach(conn))
    await this.server.listen(pair)
    const { host, port } = this.dht.io.serverSocket.address()
    return { address: host + ':' + port, key: id.encode(pair.publicKey) }
  }

  async connect ({ peer }) {
    const [host, port, key] = peer.split(':')
    const conn = this.dht.connect(id.decode(key), {
      relayAddresses: [{ host, port: Number(port) }]
    })
    const finding = this.drive && !this.drive.core.length ? this.drive.findingPeers() : null
    this.attach(conn)
    await new Promise((resolve, reject) => {
      conn.once('open', resolve)
      conn.once('error', reject)
      conn.once('close', () => reject(new Error('connection closed')))
    })
    if (finding) finding()
    return { key: id.encode(conn.publicKey) }
  }

  async open ({ key }) {
    this.drive = new Hyperdrive(this.store, key ? id.decode(key) : null)
    await this.drive.ready()
    watch(this.drive.core, this.poke)
    if (!key) await this.blobs()
    return { key: id.encode(this.drive.key), link: 'pear://' + id.encode(this.drive.key) }
  }

  async blobs () {
    const blobs = await this.drive.getBlobs()
    if (!blobs.core.watched) {
      blobs.core.watched = true
      watch(blobs.core, this.poke)
    }
    return blobs.core
  }

  async put ({ path, size, seed }) {
    const to = this.drive.createWriteStream(path)
    await new Promise((resolve, reject) => {
      to.on('error', reject).on('close', resolve)
      Readable.from(randomBytes(size, seed)).pipe(to)
    })
    return { version: this.drive.core.length }
  }

  async many ({ count, size, seed }) {
    const batch = this.drive.batch()
    for (let i = 0; i < count; i++) {
      const [data] = randomBytes(1 + (i * 7919) % size, seed + i)
      await batch.put('/many/d' + i % 40 + '/' + i, data)
    }
    await batch.flush()
    return { version: this.drive.core.length }
  }

  async stage ({ folder, dedup }) {
    await new Localdrive(folder).mirror(this.drive, { batch: true, dedup: !!dedup }).done()
    return { version: this.drive.core.length }
  }

  async del ({ path }) {
    await this.drive.del(path)
    return { version: this.drive.core.length }
  }

  async truncate ({ version }) {
    await this.drive.truncate(version)
    return { fork: this.drive.core.fork }
  }

  async clear ({ start, end }) {
    await (await this.blobs()).clear(start, end)
    return {}
  }

  async download ({ folder }) {
    if (!this.drive.core.length) await this.drive.core.update({ wait: true })
    if (folder) {
      await this.drive.download(folder).done()
      return {}
    }
    await this.drive.core.download({ start: 0, end: this.drive.core.length }).done()
    const blobs = await this.blobs()
    if (!blobs.length) await blobs.update({ wait: true })
    await blobs.download({ start: 0, end: blobs.length }).done()
    return {}
  }

  follow () {
    this.drive.core.download({ start: 0, end: -1 })
    this.blobs().then((core) => core.download({ start: 0, end: -1 }), () => {})
    return {}
  }

  async wait (w) {
    if (w.core === 'blobs') await this.blobs()
    const core = w.core === 'blobs' ? this.drive.blobs.core : this.drive.core
    await this.until(() => {
      const is = w.remote ? remote(core, w.remote) : local(core)
      return is && is.fork === (w.fork === undefined ? is.fork : w.fork) &&
        is.length >= (w.length || 0) && is.contiguous >= (w.contiguous || 0)
    })
    return this.stat()
  }

  async stat () {
    const net = { ...this.gone }
    for (const conn of this.conns) {
      for (const k of Object.keys(net)) net[k] += traffic(conn)[k]
    }
    const db = this.drive && await describe(this.drive.core)
    const blobs = this.drive && this.drive.blobs && await describe(this.drive.blobs.core)
    return { connections: this.conns.size, net, db, blobs: blobs || null }
  }

  async have () {
    const out = {}
    for (const [name, core] of [['db', this.drive.core], ['blobs', await this.blobs()]]) {
      out[name] = []
      for (let i = 0; i < core.length; i++) if (await core.has(i)) out[name].push(i)
    }
    return out
  }

  async files () {
    const list = []
    for await (const e of this.drive.list('/', { wait: false })) {
      const hash = crypto.createHash('sha256')
      let size = 0
      // an empty file staged with dedup has a block map of no blocks, which
      // cannot be read back
      if (e.value.blob && e.value.blob.blockLength) {
        for await (const b of this.drive.createReadStream(e, { wait: false })) {
          hash.update(b)
          size += b.length
        }
      }
      list.push({ path: e.key, size, hash: hash.digest('hex') })
    }
    return { files: list.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))) }
  }

  async write ({ folder }) {
    await this.drive.mirror(new Localdrive(folder)).done()
    return {}
  }

  async disconnect () {
    for (const conn of this.conns) conn.destroy()
    await this.until(() => this.conns.size === 0)
    return {}
  }

  async close () {
    await this.dht.destroy({ force: true })
    await this.store.close()
    return {}
  }
}

function watch (core, poke) {
  for (const event of ['append', 'truncate', 'download', 'peer-add', 'peer-remove', 'remote-contiguous-length']) {
    core.on(event, poke)
  }
}

function traffic (conn) {
  const raw = conn.rawStream
  if (!raw) return { rx: 0, tx: 0, resent: 0 }
  return { rx: raw.bytesReceived, tx: raw.bytesTransmitted, resent: raw.retransmits }
}

const local = (core) => ({ length: core.length, fork: core.fork, contiguous: core.contiguousLength })

function remote (core, key) {
  const p = core.peers.find((p) => id.encode(p.remotePublicKey) === key)
  return p && { length: p.remoteLength, fork: p.remoteFork, contiguous: p.remoteContiguousLength }
}

async function describe (core) {
  const peers = core.peers.map((p) => id.encode(p.remotePublicKey))
  return {
    key: id.encode(core.key),
    ...local(core),
    bytes: core.byteLength,
    treeHash: core.length ? (await core.treeHash()).toString('hex') : '',
    peers: peers.map((key) => ({ key, ...remote(core, key) }))
  }
}

// The same bytes for the same seed, without holding them all.
function * randomBytes (size, seed) {
  const key = crypto.createHash('sha256').update('seed ' + seed).digest()
  const cipher = crypto.createCipheriv('chacha20', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(1 << 20)
  if (!size) yield zeros.subarray(0, 0)
  for (let at = 0; at < size; at += zeros.length) {
    yield cipher.update(zeros.subarray(0, Math.min(zeros.length, size - at)))
  }
}
exports.randomBytes = randomBytes

const OPS = ['listen', 'connect', 'put', 'many', 'stage', 'del', 'truncate', 'clear', 'download', 'follow',
  'wait', 'stat', 'have', 'files', 'write', 'disconnect', 'close']

async function serve (storage, host) {
  const peer = new exports.Peer(storage, host)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const m = JSON.parse(line)
    if (m.op === 'crash') process.kill(process.pid, 'SIGKILL')
    let answer
    try {
      if (m.op === 'drive') answer = await peer.open(m)
      else if (OPS.includes(m.op)) answer = await peer[m.op](m)
      else throw new Error('no such command')
    } catch (err) {
      answer = { error: m.op + ': ' + err.message }
    }
    console.log(JSON.stringify(answer))
    if (m.op === 'close') break
  }
  process.exit()
}

if (require.main === module) serve(process.argv[2], process.argv[3])
