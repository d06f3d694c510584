// net-js-peer.js STORAGE [HOST [PORT]]: a peer made of the JavaScript packages, in a
// process of its own so that it can be killed. It reads one JSON command a
// line and answers each, in order, with one line: what was asked for, or
// {"error"}. Without HOST and PORT it binds any port of the loopback.
//
// A direct connection needs no other DHT node: with `bootstrap: []` nothing is
// looked up, with `firewalled: false` requests leave from the socket on which
// handshakes are answered, and a list of one port pair, [0, 0], means any free
// port (a plain 0 means the default one). The client hands HOST:PORT over as a
// relay address; the server itself answers there.
//
//	{"op":"listen","seed":N}            address, key (of the seed, or a new one)
//	{"op":"whoami"}                     the key it connects with
//	{"op":"connect","peer":"H:P:KEY","keep"}
//	                                    answers when the stream is open; keep:
//	                                    connects again whenever it closes
//	{"op":"join","bootstrap":[{host,port}],"seed":N}
//	                                    hyperswarm on the drive's topic, as
//	                                    server and client; answers when it is
//	                                    announced and was looked up
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
//	                                    peer, or "any", says) is as told; then
//	                                    as stat, without the tree hashes
//	{"op":"wait","up","down","connections"}
//	                                    until so many contents blocks went
//	                                    out, came in; so many are connected
//	{"op":"stat"}                       lengths, tree hashes, peers, traffic
//	{"op":"have"}                       numbers of the blocks present
//	{"op":"sent"}                       and of those sent
//	{"op":"files","folder"}             path, size and hash of each file
//	{"op":"ranges"}                     the contents blocks of each file
//	{"op":"write","folder"}             the drive into a local folder
//	{"op":"disconnect"} {"op":"close"} {"op":"crash"}
'use strict'
const crypto = require('crypto')
const sodium = require('sodium-universal')
const readline = require('readline')
const { Readable } = require('stream')
const Corestore = require('corestore')
const DHT = require('hyperdht')
const Hyperdrive = require('hyperdrive')
const Hyperswarm = require('hyperswarm')
const Localdrive = require('localdrive')
const id = require('hypercore-id-encoding')

exports.Peer = class Peer {
  constructor (storage, host = '127.0.0.1', port = 0) {
    this.store = new Corestore(storage)
    this.dht = new DHT({
      bootstrap: [],
      host,
      port: port ? [port, port + 1] : [0, 0],
      anyPort: !port,
      firewalled: false,
      quickFirewall: false,
      ephemeral: true
    })
    this.conns = new Set()
    this.gone = { rx: 0, tx: 0, resent: 0 }
    this.moved = { up: 0, upBytes: 0, down: 0, downBytes: 0 } // contents blocks
    this.sentBlocks = { db: [], blobs: [] }
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

  whoami () {
    return { key: id.encode(this.dht.defaultKeyPair.publicKey) }
  }

  async connect ({ peer, keep }) {
    const [host, port, key] = peer.split(':')
    const conn = this.dht.connect(id.decode(key), {
      relayAddresses: [{ host, port: Number(port) }]
    })
    const finding = this.drive && !this.drive.core.length ? this.drive.findingPeers() : null
    this.attach(conn)
    if (keep) {
      conn.once('close', () => {
        if (!this.closing) this.connect({ peer, keep }).catch(() => {})
      })
    }
    await new Promise((resolve, reject) => {
      conn.once('open', resolve)
      conn.once('error', reject)
      conn.once('close', () => reject(new Error('connection closed')))
    })
    if (finding) finding()
    return this.whoami()
  }

  async join ({ bootstrap, seed }) {
    const finding = this.drive.core.length ? null : this.drive.findingPeers()
    const relay = process.env.PEAR_DHT_RELAY
    this.swarm = new Hyperswarm({
      bootstrap,
      keyPair: DHT.keyPair(Buffer.alloc(32, seed)),
      relayThrough: relay ? Buffer.from(relay, 'hex') : null
    })
    this.swarm.on('connection', (conn) => this.attach(conn))
    await this.swarm.join(this.drive.discoveryKey).flushed()
    if (finding) this.swarm.flush().then(finding, finding)
    return { key: id.encode(this.swarm.keyPair.publicKey) }
  }

  async open ({ key }) {
    this.drive = new Hyperdrive(this.store, key ? id.decode(key) : null)
    await this.drive.ready()
    watch(this.drive.core, this.poke)
    this.drive.core.on('upload', (i) => this.sentBlocks.db.push(i))
    if (!key || this.drive.core.length) await this.blobs()
    return { key: id.encode(this.drive.key), link: 'pear://' + id.encode(this.drive.key) }
  }

  async blobs () {
    const blobs = await this.drive.getBlobs()
    if (!blobs.core.watched) {
      blobs.core.watched = true
      watch(blobs.core, this.poke)
      blobs.core.on('upload', (i, bytes) => {
        this.sentBlocks.blobs.push(i)
        this.moved.up++
        this.moved.upBytes += bytes
        this.poke()
      })
      blobs.core.on('download', (i, bytes) => {
        this.moved.down++
        this.moved.downBytes += bytes
      })
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
    if (!w.core) {
      await this.until(() => this.moved.up >= (w.up || 0) && this.moved.down >= (w.down || 0) &&
        (w.connections === undefined || w.connections === this.conns.size))
      return this.glance()
    }
    if (w.core === 'blobs') await this.blobs()
    const core = w.core === 'blobs' ? this.drive.blobs.core : this.drive.core
    const is = (c) => c.fork === (w.fork === undefined ? c.fork : w.fork) &&
      c.length >= (w.length || 0) && c.contiguous >= (w.contiguous || 0)
    await this.until(() => w.remote ? remotes(core, w.remote).some(is) : is(local(core)))
    return this.glance()
  }

  glance () {
    const net = { ...this.gone }
    for (const conn of this.conns) {
      for (const k of Object.keys(net)) net[k] += traffic(conn)[k]
    }
    const { drive } = this
    return {
      connections: this.conns.size,
      net,
      moved: this.moved,
      db: drive && describe(drive.core),
      blobs: drive && drive.blobs && describe(drive.blobs.core)
    }
  }

  // Not while a core changes: hashes are read from its storage.
  async stat () {
    const all = this.glance()
    if (all.db) all.db.treeHash = await hashOf(this.drive.core)
    if (all.blobs) all.blobs.treeHash = await hashOf(this.drive.blobs.core)
    return all
  }

  async have () {
    const out = {}
    for (const [name, core] of [['db', this.drive.core], ['blobs', await this.blobs()]]) {
      out[name] = []
      for (let i = 0; i < core.length; i++) if (await core.has(i)) out[name].push(i)
    }
    return out
  }

  sent () {
    return this.sentBlocks
  }

  async ranges () {
    const out = {}
    for await (const { key, value } of this.drive.list('/')) {
      if (value.blob) out[key] = [value.blob.blockOffset, value.blob.blockOffset + value.blob.blockLength]
    }
    return out
  }

  async files ({ folder }) {
    const list = []
    for await (const e of this.drive.list(folder || '/', { wait: false })) {
      const hash = new Hash()
      const { blob, linkname } = e.value
      let size = 0
      // an empty file staged with dedup has a block map of no blocks, which
      // cannot be read back
      if (blob && blob.blockLength) {
        for await (const b of this.drive.createReadStream(e, { wait: false })) {
          hash.update(b)
          size += b.length
        }
      }
      list.push({ path: e.key, linkname: linkname || null, size, hash: blob ? hash.end() : '' })
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
    this.closing = true
    if (this.swarm) await this.swarm.destroy()
    await this.dht.destroy({ force: true })
    await this.store.close()
    return {}
  }
}

// BLAKE2b-256, as everywhere in this ecosystem
class Hash {
  constructor () {
    this.state = Buffer.alloc(sodium.crypto_generichash_STATEBYTES)
    sodium.crypto_generichash_init(this.state, null, 32)
  }

  update (b) {
    sodium.crypto_generichash_update(this.state, b)
  }

  end () {
    const out = Buffer.alloc(32)
    sodium.crypto_generichash_final(this.state, out)
    return out.toString('hex')
  }
}
exports.Hash = Hash

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

// What the connected peers say of a core, or one of them does.
function remotes (core, which = 'any') {
  const all = core.peers.map((p) => ({
    key: id.encode(p.remotePublicKey),
    length: p.remoteLength,
    fork: p.remoteFork,
    contiguous: p.remoteContiguousLength
  }))
  return all.filter((p) => which === 'any' || p.key === which)
}

function describe (core) {
  return { key: id.encode(core.key), ...local(core), bytes: core.byteLength, peers: remotes(core) }
}

const hashOf = async (core) => core.length ? (await core.treeHash()).toString('hex') : ''

// The same bytes for the same seed, without holding them all.
function * randomBytes (size, seed) {
  const key = crypto.createHash('sha256').update('seed ' + seed).digest()
  const cipher = crypto.createCipheriv('chacha20', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(65536) // as large as the blocks of a drive
  if (!size) yield zeros.subarray(0, 0)
  for (let at = 0; at < size; at += zeros.length) {
    yield cipher.update(zeros.subarray(0, Math.min(zeros.length, size - at)))
  }
}
exports.randomBytes = randomBytes

const OPS = ['listen', 'whoami', 'connect', 'join', 'put', 'many', 'stage', 'del', 'truncate', 'clear', 'download', 'follow',
  'wait', 'stat', 'have', 'sent', 'files', 'ranges', 'write', 'disconnect', 'close']

async function serve (storage, host, port) {
  const peer = new exports.Peer(storage, host, Number(port || 0))
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

if (require.main === module) serve(...process.argv.slice(2))
