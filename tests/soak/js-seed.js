// js-seed.js STORAGE HOST:PORT,... SEED LINK...: what pear-seed does, made of
// the JavaScript packages: follows the drives and serves them. "new" for a
// link is the drive it writes itself. It prints the lines that pear-seed
// prints of its drives, with `contiguous` lengths, and reads one command a
// line:
//
//	{"op":"put","path","size","seed"}	into its own drive
//	{"op":"hash"}				of all cores, answered by "hash"
//	{"op":"close"}
'use strict'
const readline = require('readline')
const Corestore = require('corestore')
const DHT = require('hyperdht')
const Hyperdrive = require('hyperdrive')
const Hyperswarm = require('hyperswarm')
const id = require('hypercore-id-encoding')
const { randomBytes } = require('../interop/net-js-peer')

const STATS_EVERY = 500

const tell = (tag, data) => console.log(JSON.stringify({ tag, data }))

class Seeder {
  constructor (storage, nodes, seed) {
    const bootstrap = nodes.split(',').map((n) => ({ host: n.split(':')[0], port: Number(n.split(':')[1]) }))
    this.store = new Corestore(storage)
    this.swarm = new Hyperswarm({ bootstrap, keyPair: DHT.keyPair(Buffer.alloc(32, seed)) })
    this.drives = []
    this.swarm.on('connection', (conn) => {
      conn.on('error', () => {})
      this.store.replicate(conn)
    })
  }

  async add (link) {
    const drive = new Hyperdrive(this.store, link === 'new' ? null : id.decode(link.replace('pear://', '')))
    await drive.ready()
    this.drives.push(drive)
    if (link === 'new') {
      this.own = drive
      await drive.getBlobs()
    } else drive.core.download({ start: 0, end: -1 })
    tell('seeding', { key: id.encode(drive.key), link: 'pear://' + id.encode(drive.key) })
    this.join(drive, drive.core.length ? null : drive.findingPeers())
  }

  async join (drive, finding) {
    await this.swarm.join(drive.discoveryKey).flushed()
    tell('announced', { key: id.encode(drive.key) })
    if (finding) await this.swarm.flush().finally(finding)
  }

  // Its contents can be followed when their key is known.
  async contents (drive) {
    if (drive === this.own || drive.following || !drive.core.length) return
    drive.following = true
    const blobs = await drive.getBlobs()
    if (blobs) blobs.core.download({ start: 0, end: -1 })
    else drive.following = false
  }

  stats () {
    for (const drive of this.drives) {
      this.contents(drive).catch(() => { drive.following = false })
      const db = drive.core
      const blobs = drive.blobs && drive.blobs.core
      tell('stats', {
        driveKey: id.encode(drive.key),
        driveLength: db.length,
        blobsByteLength: blobs ? blobs.byteLength : 0,
        contiguous: db.contiguousLength + (blobs ? blobs.contiguousLength : 0),
        state: blobs && db.contiguousLength === db.length && blobs.contiguousLength === blobs.length
          ? 'complete'
          : 'fetching',
        connections: this.swarm.connections.size
      })
    }
  }

  async put ({ path, size, seed }) {
    const to = this.own.createWriteStream(path)
    for (const b of randomBytes(size, seed)) to.write(b)
    await new Promise((resolve, reject) => to.on('error', reject).on('close', resolve).end())
    tell('put', { length: this.own.core.length, bytes: this.own.blobs.core.byteLength })
  }

  async hash () {
    const all = {}
    for (const { core, blobs } of this.drives) {
      for (const c of [core, blobs && blobs.core]) {
        if (!c || !c.length) continue
        all[c.key.toString('hex')] = {
          fork: c.fork, length: c.length, contiguous: c.contiguousLength, treeHash: (await c.treeHash()).toString('hex')
        }
      }
    }
    tell('hash', all)
  }

  async close () {
    await this.swarm.destroy()
    await this.store.close()
  }
}

async function main (storage, nodes, seed, links) {
  const seeder = new Seeder(storage, nodes, Number(seed))
  for (const link of links) await seeder.add(link)
  setInterval(() => seeder.stats(), STATS_EVERY)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const m = JSON.parse(line)
    await seeder[m.op](m)
    if (m.op === 'close') break
  }
  process.exit()
}

const [storage, nodes, seed, ...links] = process.argv.slice(2)
main(storage, nodes, seed, links)
