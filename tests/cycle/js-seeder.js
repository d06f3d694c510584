// js-seeder.js STORAGE LIST [--sparse]: a seeder made of hyperswarm, corestore
// and hyperdrive. LIST holds links, one a line, and is read again on SIGHUP;
// every drive is announced, found and kept whole, with --sparse only opened.
// The DHT begins at PEAR_DHT_BOOTSTRAP. A line of JSON says what has changed:
//
//	{"tag":"ready","whoami"}
//	{"tag":"announced","driveKey"}
//	{"tag":"stats","driveKey","driveLength","blobs",...,"state"}
'use strict'
const fs = require('fs')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const Hyperswarm = require('hyperswarm')
const id = require('hypercore-id-encoding')

const [storage, list, sparse] = process.argv.slice(2)
const bootstrap = process.env.PEAR_DHT_BOOTSTRAP.split(',').map((node) => {
  const [host, port] = node.split(':')
  return { host, port: Number(port) }
})
const drives = new Map()
let store, swarm

const say = (tag, more) => process.stdout.write(JSON.stringify({ tag, ...more }) + '\n')
const whole = (core) => core.length > 0 && core.contiguousLength === core.length

class Kept {
  constructor (key) {
    this.drive = new Hyperdrive(store, id.decode(key))
    this.key = key
    this.last = ''
    this.blobs = null
  }

  async open () {
    await this.drive.ready()
    this.watch(this.drive.core)
    swarm.join(this.drive.discoveryKey).flushed()
      .then(() => say('announced', { driveKey: this.key }), () => {})
    this.drive.getBlobs().then((blobs) => {
      this.blobs = blobs.core
      this.watch(this.blobs)
    }, () => {}) // closed before there was anything
  }

  watch (core) {
    for (const event of ['append', 'truncate', 'download', 'peer-add', 'peer-remove']) {
      core.on(event, () => this.tell())
    }
    if (!sparse) core.download({ start: 0, end: -1 })
    this.tell()
  }

  tell () {
    const { core } = this.drive
    const now = {
      driveKey: this.key,
      driveLength: core.length,
      driveContiguous: core.contiguousLength,
      blobs: this.blobs ? this.blobs.length : 0,
      blobsContiguous: this.blobs ? this.blobs.contiguousLength : 0,
      peers: core.peers.length,
      state: whole(core) && this.blobs && whole(this.blobs) ? 'complete' : 'incomplete'
    }
    const line = JSON.stringify(now)
    if (line !== this.last) say('stats', now)
    this.last = line
  }
}

async function read () {
  for (const line of fs.readFileSync(list, 'utf8').split('\n')) {
    const key = line.trim().replace('pear://', '')
    if (!key || drives.has(key)) continue
    const kept = new Kept(key)
    drives.set(key, kept)
    await kept.open()
  }
}

async function end () {
  await swarm.destroy()
  await store.close()
  process.exit(0)
}

async function main () {
  store = new Corestore(storage)
  swarm = new Hyperswarm({ bootstrap, keyPair: await store.createKeyPair('hyperswarm') })
  swarm.on('connection', (conn) => {
    conn.on('error', () => {})
    store.replicate(conn)
  })
  process.on('SIGHUP', read)
  process.on('SIGTERM', end)
  await read()
  say('ready', { whoami: id.encode(swarm.keyPair.publicKey) })
}

main()
