// drive.js: a drive goes from a seeder to who has its link, both behind NATs:
// the commands, hyperswarm, everything. What goes wrong, or null.
'use strict'
const fs = require('fs')
const path = require('path')
const { JsSide, OurSide, folder } = require('../interop/net-sides')
const labs = require('./lab')

const KINDS = { ours: OurSide, js: JsSide }

function side (lab, where, kind, dir) {
  const s = new KINDS[kind](path.join(dir, where))
  s.nodes = labs.BOOTSTRAP.join(',')
  s.enter = (program, args) => lab.enter(where, program, args)
  return s
}

// size: of its one large file; during: what happens meanwhile; seeding: more
// options of a seeder of ours.
exports.carry = async function (lab, seeds, fetches, work, { size = 300000, during, seeding } = {}) {
  const dir = fs.mkdtempSync(path.join(work, 'drive-'))
  const from = side(lab, 'b', seeds, dir)
  const to = side(lab, 'a', fetches, dir)
  try {
    await from.open()
    await from.stage(folder(path.join(dir, 'src'), [['one', size, 1], ['sub/two', 10, 2]]))
    if (seeding) from.seeding = seeding
    await from.start()
    await Promise.all([to.fetch(from.link), during && during()])
    const [want, got] = [await from.files(), await to.files()].map((f) => JSON.stringify(f))
    return want === got ? null : 'got ' + got + ' instead of ' + want
  } catch (err) {
    return err.message
  } finally {
    await to.stop()
    await from.stop()
  }
}
