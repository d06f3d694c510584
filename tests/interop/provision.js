// Provisioning against the JavaScript stack: random drives written in every
// way it has, mirrored onto production there and by our pear-provision
// --plain: every tree hash must agree, for a target that saw all releases and
// for one that begins empty. What ours writes without --plain, where blocks
// are shared, the JavaScript stack must read as the same files.
'use strict'
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const RabinStream = require('rabin-stream')
const HypercoreID = require('hypercore-id-encoding')
const { pipelinePromise, Readable } = require('streamx')
const {
  main, check, same, Lines, Random, run, bin, listOurs, listTheirs, randomVersion
} = require('./common')
const { pull, push } = require('./carry')

const SEEDS = Number(process.env.INTEROP_SEEDS || 6)
const FIELDS = ['manifest', 'metadata', 'platformVersion']
const METADATA = [null, { a: 1, b: [null, 'x'] }, { b: [null, 'x'], a: 1 }, 'text', 0]

function pear (storage, name, ...args) {
  const out = run(bin('pear-' + name), ['--storage', storage, '--json', ...args])
  return out.trim().split('\n').map((l) => JSON.parse(l))
}

async function put (drive, op, r) {
  const opts = { executable: op.executable, metadata: r.pick(METADATA) }
  // the reference cannot read an empty file that it wrote with dedup
  if (r.below(2) || op.data.length === 0) return drive.put(op.path, op.data, opts)
  const to = drive.createWriteStream(op.path, { ...opts, dedup: true })
  await pipelinePromise(Readable.from([op.data]), new RabinStream(), to)
}

async function stage (drive, model, r, v) {
  for (const op of randomVersion(r, model, 3 + r.below(30))) {
    if (op.op === 'del') await drive.del(op.path)
    else if (op.op === 'symlink') await drive.symlink(op.path, op.linkname)
    else await put(drive, op, r)
  }
  const file = '/package.json'
  await drive.put(file, Buffer.from('{"name":"fixture","version":"1.0.' + v + '"}'))
  for (const name of FIELDS) {
    if (r.below(3) === 0) await drive.db.put(name, { value: r.below(3) })
    else if (r.below(4) === 0) await drive.db.del(name)
  }
}

async function appendFrom (to, from) {
  for (let i = to.length; i < from.length; i++) await to.append(await from.get(i))
}

async function provisionTheirs (source, target, production) {
  await appendFrom(target.core, production.core)
  await appendFrom(target.blobs.core, production.blobs.core)
  const checkout = source.checkout(source.version)
  await checkout.ready()
  await checkout.mirror(target, { prune: true, batch: true }).done()
  for (const name of FIELDS) {
    const [want, have] = [await source.db.get(name), await target.db.get(name)]
    if (!want && have) await target.db.del(name)
    if (want && (!have || JSON.stringify(want.value) !== JSON.stringify(have.value))) {
      await target.db.put(name, want.value)
    }
  }
  await checkout.close()
}

async function open (store, name) {
  const drive = new Hyperdrive(store.namespace(name))
  await drive.ready()
  await drive.getBlobs()
  return drive
}

const hash = async (core) => Buffer.from(await core.treeHash()).toString('hex')

// Ours, in a store that theirs were carried to.
class Ours {
  constructor (work, seed) {
    this.storage = path.join(work, 'ours-' + seed)
    this.shadows = new Corestore(path.join(work, 'shadows-' + seed))
    this.target = this.touch()
  }

  touch () {
    return pear(this.storage, 'touch').pop().data.link
  }

  async take (drive, r, what) {
    const taker = new Lines('core_proofs', ['apply', this.storage])
    for (const core of [drive.core, drive.blobs.core]) {
      const shadow = this.shadows.get({ key: core.key })
      await shadow.ready()
      if (core.length > shadow.length) await push(taker, core, shadow, r, what)
    }
    await taker.close()
  }

  provision (source, target, production, ...flags) {
    const lines = pear(this.storage, 'provision', '--yes', ...flags,
      'pear://0.' + source.core.length + '.' + source.id, target,
      'pear://0.' + production.core.length + '.' + production.id)
    return {
      diff: lines.filter((l) => l.tag === 'byte-diff').length / (flags.includes('-d') ? 1 : 2),
      next: lines.find((l) => l.tag === 'diffed').data.next,
      target: (lines.pop().data.target || {})
    }
  }
}

async function readsShared (work, seed, ours, want, r, what) {
  const store = new Corestore(path.join(work, 'reads-' + seed))
  const server = new Lines('core_proofs', ['serve', ours.storage])
  const db = store.get({ key: ours.shared.slice('pear://'.length) })
  await db.ready()
  await pull(server, db, r, what + ' db')
  const drive = new Hyperdrive(store, db.key)
  await drive.ready()
  await pull(server, (await drive.getBlobs()).core, r, what + ' blobs')
  await server.close()
  same(await listTheirs(drive), want, what + ': they read what we shared')
  await store.close()
}

async function one (work, seed) {
  const r = new Random(9000 + seed)
  const store = new Corestore(path.join(work, 'theirs-' + seed))
  const ours = new Ours(work, seed)
  const source = await open(store, 'source')
  const target = await open(store, 'target')
  const production = await open(store, 'production')
  const model = new Map()

  for (let v = 0; v < 3; v++) {
    const what = 'seed ' + seed + ' release ' + v
    await stage(source, model, r, v)
    await ours.take(source, r, what + ' source')
    await ours.take(production, r, what + ' production')
    await provisionTheirs(source, target, production)
    const want = { core: await hash(target.core), blobs: await hash(target.blobs.core) }
    const fresh = ours.touch()
    const dry = ours.provision(source, fresh, production, '--plain', '-d')
    for (const link of [ours.target, fresh]) {
      const got = ours.provision(source, link, production, '--plain').target
      same({ core: got.core.hash, blobs: got.blobs.hash }, want, what + ': tree hashes')
      same(got.core.length, target.core.length, what + ': length')
    }
    same({ core: dry.next.core.hash, blobs: dry.next.blobs.hash }, want, what + ': dry run')
    ours.shared = ours.touch() // the last one went another way than production
    const shared = ours.provision(source, ours.shared, production).target
    check(shared.blobs.length > 0, what + ': shared')
    const again = ours.provision(source, ours.shared, production)
    same(again.diff, 0, what + ': provisioned again')
    same(again.target.core.hash, shared.core.hash, what + ': and nothing moves')
    const files = await listTheirs(source)
    same(await listTheirs(target), files, what + ': their target')
    for (const link of [ours.target, fresh, ours.shared]) {
      const key = HypercoreID.decode(link)
      same(listOurs(ours.storage, key).entries, files, what + ': our target')
    }
    await appendFrom(production.core, target.core)
    await appendFrom(production.blobs.core, target.blobs.core)
  }
  await readsShared(work, seed, ours, await listTheirs(source), r, 'seed ' + seed)
  await store.close()
  await ours.shadows.close()
}

main(async (work) => {
  for (let seed = 1; seed <= SEEDS; seed++) await one(work, seed)
})
