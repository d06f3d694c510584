// js-stage.js STORE DIR: stage DIR as the JavaScript tool does.
'use strict'
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const Localdrive = require('localdrive')

async function main (dir, folder) {
  const store = new Corestore(dir)
  const drive = new Hyperdrive(store)
  await drive.ready()
  const local = new Localdrive(folder, { followExternalLinks: true })
  const mirror = local.mirror(drive, { prune: true, dedup: true, batch: true })
  await mirror.done()
  console.log(drive.core.length, drive.blobs.core.length, drive.blobs.core.byteLength)
  await drive.close()
  await store.close()
}

main(...process.argv.slice(2))
