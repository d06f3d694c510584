// Drives written by the JavaScript stack in every way it has, proven block by
// block to our library as a replicator would, read by us and compared.
'use strict'
const fs = require('fs')
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const Localdrive = require('localdrive')
const {
  main, check, same, Lines, Random, listOurs, listTheirs, listModel, randomVersion
} = require('./common')
const { push } = require('./carry')

const SEEDS = Number(process.env.INTEROP_SEEDS || 9)
const WAYS = ['single', 'batch', 'mirror']

// Now and then, and before the first block: a proof changed in one place is
// refused, and nothing of it sticks.
const tamper = (taker, r, what) => async (line, i) => {
  if (r.below(50) === 0 || (i === 0 && r.below(2))) await refused(taker, line, what)
}

async function refused (taker, line, what) {
  const bad = JSON.parse(JSON.stringify(line))
  const flip = (s, at) => s.slice(0, at) + (s[at] === '0' ? '1' : '0') + s.slice(at + 1)
  if (bad.block.value.length) bad.block.value = flip(bad.block.value, bad.block.value.length - 1)
  else if (bad.upgrade) bad.upgrade.signature = flip(bad.upgrade.signature, 20)
  else return
  const a = await taker.ask(bad)
  check(!!a.error, what + ': a changed proof is refused')
}

async function write (drive, way, ops, folder) {
  if (way === 'mirror') {
    const local = new Localdrive(folder, { followExternalLinks: true })
    const m = local.mirror(drive, { prune: true, dedup: true, batch: true })
    await m.done()
    return
  }
  const to = way === 'batch' ? drive.batch() : drive
  for (const op of ops) {
    if (op.op === 'del') await to.del(op.path)
    else if (op.op === 'symlink') await to.symlink(op.path, op.linkname)
    else await to.put(op.path, op.data, { executable: op.executable })
  }
  if (way === 'batch') await to.flush()
}

// A folder with the content of the model. A path that is a folder of another
// cannot be both on a disk: the model loses it.
function writeFolder (folder, model) {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder)
  for (const [p, f] of [...model].sort()) {
    const full = path.join(folder, p)
    try {
      fs.mkdirSync(path.dirname(full), { recursive: true })
      // absolute links would lead into the machine's own files
      if (f.linkname) {
        if (f.linkname.startsWith('/') || f.linkname.startsWith('..')) f.linkname = 'x'
        fs.symlinkSync(f.linkname, full)
      } else {
        fs.writeFileSync(full, f.data, { flag: 'wx' })
        fs.chmodSync(full, f.executable ? 0o755 : 0o644)
      }
    } catch (err) {
      if (!['EEXIST', 'EISDIR', 'ENOTDIR', 'ELOOP'].includes(err.code)) throw err
      model.delete(p)
    }
  }
}

async function one (work, seed) {
  const r = new Random(1000 + seed)
  const way = WAYS[seed % WAYS.length]
  const what = 'seed ' + seed + ' ' + way
  const ours = path.join(work, 'ours-' + seed)
  const store = new Corestore(path.join(work, 'theirs-' + seed))
  const shadows = new Corestore(path.join(work, 'shadow-' + seed))
  const drive = new Hyperdrive(store)
  const model = new Map()
  const versions = []
  await drive.ready()
  await drive.getBlobs()
  const db = shadows.get({ key: drive.key })
  const blobs = shadows.get({ key: drive.blobs.core.key })
  await db.ready()
  await blobs.ready()

  for (let v = 0; v < 4; v++) {
    const ops = randomVersion(r, model, 1 + r.below(v === 2 ? 60 : 12))
    const folder = path.join(work, 'folder-' + seed)
    if (way === 'mirror') writeFolder(folder, model)
    await write(drive, way, ops, folder)
    versions.push({ version: drive.core.length, want: listModel(model) })
    const taker = new Lines('core_proofs', ['apply', ours])
    if (drive.core.length) await push(taker, drive.core, db, r, what + ' db', tamper(taker, r, what + ' db'))
    if (drive.blobs.core.length) {
      await push(taker, drive.blobs.core, blobs, r, what + ' blobs', tamper(taker, r, what + ' blobs'))
    }
    same(await taker.close(), 0, what + ': core_proofs')
  }
  same(await listTheirs(drive), versions[3].want, what + ': the model is right')
  for (const { version, want } of versions) {
    if (version > 0) same(listOurs(ours, drive.key, version).entries, want, what + ': content at ' + version)
  }
  await store.close()
  await shadows.close()
}

async function bigFile (work) {
  const store = new Corestore(path.join(work, 'big-theirs'))
  const shadows = new Corestore(path.join(work, 'big-shadow'))
  const drive = new Hyperdrive(store)
  const r = new Random(77)
  await drive.ready()
  await drive.put('/big', r.bytes(24 << 20))
  await drive.del('/big')
  await drive.put('/big', r.bytes(9 << 20), { executable: true, metadata: { b: 1, a: [null, 'x'] } })
  await drive.put('/empty', Buffer.alloc(0))
  const taker = new Lines('core_proofs', ['apply', path.join(work, 'big-ours')])
  for (const core of [drive.core, drive.blobs.core]) {
    const shadow = shadows.get({ key: core.key })
    await shadow.ready()
    await push(taker, core, shadow, r, 'big', tamper(taker, r, 'big'))
  }
  same(await taker.close(), 0, 'big: core_proofs')
  same(listOurs(path.join(work, 'big-ours'), drive.key).entries, await listTheirs(drive), 'big: content')
}

main(async (work) => {
  for (let seed = 1; seed <= SEEDS; seed++) await one(work, seed)
  await bigFile(work)
})
