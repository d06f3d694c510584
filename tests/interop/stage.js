// The commands against the JavaScript stack: random folders staged by ours
// and read by theirs, staged by theirs and dumped by ours, and again after
// changes (F14).
'use strict'
const fs = require('fs')
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const Localdrive = require('localdrive')
const {
  main, same, Lines, Random, run, bin, listTheirs, proofIn, proofOut, request, byPath, entryOf
} = require('./common')

const SEEDS = Number(process.env.INTEROP_SEEDS || 6)
const NAMES = ['app', 'lib', 'ü', 'A', 'a b', 'node_modules', '.github', 'x.js', '☃']

const SIZES = [0, 1, 500, 65536, 70000, 300000]

function randomFolder (r, root, count, sizes) {
  fs.mkdirSync(root, { recursive: true })
  fs.writeFileSync(path.join(root, 'package.json'), '{"name":"fixture","version":"1.0.' + r.below(9) + '"}\n')
  const made = []
  for (let i = 0; i < count; i++) {
    let dir = root
    for (let d = r.below(3); d > 0; d--) dir = path.join(dir, r.pick(NAMES))
    const full = path.join(dir, r.pick(NAMES) + '-' + i)
    fs.mkdirSync(dir, { recursive: true })
    if (r.below(8) === 0 && made.length) {
      fs.symlinkSync(path.relative(dir, r.pick(made)), full)
      continue
    }
    fs.writeFileSync(full, r.bytes(r.pick(sizes)))
    if (r.below(4) === 0) fs.chmodSync(full, 0o755)
    made.push(full)
  }
  return made
}

function changeFolder (r, made) {
  for (const full of made) {
    if (!fs.existsSync(full)) continue
    const k = r.below(8)
    if (k === 0) fs.unlinkSync(full)
    else if (k === 1) fs.appendFileSync(full, r.bytes(1000))
    else if (k === 2) fs.chmodSync(full, 0o755)
    else if (k === 3) fs.renameSync(full, full + '.moved')
    else if (k === 4) {
      const b = fs.readFileSync(full)
      fs.writeFileSync(full, Buffer.concat([r.bytes(10), b]))
    }
  }
}

// A folder as a drive lists it. Links are compared by their text.
function listFolder (root) {
  const out = []
  const walk = (dir) => {
    for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
      const full = path.join(dir, e.name)
      const p = '/' + path.relative(root, full)
      if (e.isDirectory()) walk(full)
      else if (e.isSymbolicLink()) out.push(entryOf({ path: p, linkname: fs.readlinkSync(full) }))
      else out.push(entryOf({ path: p, data: fs.readFileSync(full), executable: !!(fs.statSync(full).mode & 0o100) }))
    }
  }
  walk(root)
  return out.sort(byPath)
}

function command (name, args, storage) {
  const out = run(bin('pear-' + name), ['--storage', storage, '--json', ...args])
  return out.trim().split('\n').map((l) => JSON.parse(l))
}

async function pull (server, core) {
  const head = await server.ask({ key: core.key.toString('hex') })
  for (let i = core.length; i < head.length; i++) {
    const q = await request(core, i, head.length)
    if (!(await core.core.verify(proofIn(await server.ask(q)), null))) throw new Error('block ' + i)
  }
}

async function push (taker, core, shadow) {
  for (let i = shadow.length; i < core.length; i++) {
    const q = await request(shadow, i, core.length)
    const line = proofOut(core.key, await core.proof(q), q.manifest ? core.core.header.manifest : null)
    const a = await taker.ask(line)
    if (a.error) throw new Error('block ' + i + ': ' + a.error)
    await shadow.core.verify(proofIn(line), null)
  }
  const a = await taker.ask({ key: core.key.toString('hex'), commit: true })
  if (a.error) throw new Error(a.error)
}

async function oursToTheirs (work, seed) {
  const r = new Random(5000 + seed)
  const folder = path.join(work, 'src-' + seed)
  const storage = path.join(work, 'store-' + seed)
  const made = randomFolder(r, folder, 10 + r.below(60), SIZES)
  const link = command('touch', [], storage).pop().data.link
  const store = new Corestore(path.join(work, 'js-' + seed))
  let drive = null
  for (let v = 0; v < 3; v++) {
    if (v) changeFolder(r, made)
    const dry = command('stage', ['--dry-run', link, folder], storage)
    const real = command('stage', [link, folder], storage)
    const diff = (lines) => lines.filter((l) => l.tag === 'byte-diff').map((l) => l.data)
    same(diff(dry), diff(real), 'stage ' + seed + ': dry run against real run')
    const again = command('stage', [link, folder], storage)
    same(diff(again), [], 'stage ' + seed + ': staged again')
    const server = new Lines('core_proofs', ['serve', storage])
    // Before the drive is opened: what it waits for comes from peers only.
    const db = store.get({ key: link.slice('pear://'.length) })
    await db.ready()
    await pull(server, db)
    if (!drive) {
      drive = new Hyperdrive(store, db.key)
      await drive.ready()
    }
    await pull(server, (await drive.getBlobs()).core)
    await server.close()
    same(await listTheirs(drive), listFolder(folder), 'stage ' + seed + ' version ' + v + ': their view')
    const out = path.join(work, 'out-' + seed + '-' + v)
    command('dump', [link, out], storage)
    same(listFolder(out), listFolder(folder), 'stage ' + seed + ' version ' + v + ': dumped')
  }
  await store.close()
}

async function theirsToOurs (work, seed) {
  const r = new Random(7000 + seed)
  const folder = path.join(work, 'jsrc-' + seed)
  const storage = path.join(work, 'jours-' + seed)
  // The reference cannot stage a file again that was empty before.
  const made = randomFolder(r, folder, 10 + r.below(60), SIZES.slice(1))
  const store = new Corestore(path.join(work, 'jstore-' + seed))
  const shadows = new Corestore(path.join(work, 'jshadow-' + seed))
  const drive = new Hyperdrive(store)
  await drive.ready()
  for (let v = 0; v < 3; v++) {
    if (v) changeFolder(r, made)
    await new Localdrive(folder, { followExternalLinks: true })
      .mirror(drive, { prune: true, dedup: true, batch: true }).done()
    const taker = new Lines('core_proofs', ['apply', storage])
    for (const core of [drive.core, drive.blobs.core]) {
      const shadow = shadows.get({ key: core.key })
      await shadow.ready()
      await push(taker, core, shadow)
    }
    await taker.close()
    const out = path.join(work, 'jout-' + seed + '-' + v)
    command('dump', ['pear://' + drive.key.toString('hex'), out], storage)
    same(listFolder(out), listFolder(folder), 'dump ' + seed + ' version ' + v)
  }
  await store.close()
  await shadows.close()
}

main(async (work) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    await oursToTheirs(work, seed)
    await theirsToOurs(work, seed)
  }
})
