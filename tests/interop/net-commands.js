// The commands that only want something of a peer, against a JavaScript one
// that has it: look, read one file, take over a staged drive and give it on,
// ask for signatures.
'use strict'
const fs = require('fs')
const path = require('path')
const { spawnSync } = require('child_process')
const SignRequest = require('hypercore-signing-request')
const crypto = require('hypercore-crypto')
const z32 = require('z32')
const { main, check, same, run, bin } = require('./common')
const { JsSide, OurSide, folder, within } = require('./net-sides')

// Only this process answers the JavaScript peer's pipes: commands run beside.
function command (side, name, ...args) {
  const p = side.command(name, args)
  return within(p.ended, name).then((code) => {
    if (code !== 0) throw new Error(name + ' ended with ' + code + ': ' + p.said + JSON.stringify(side.events.slice(-2)))
    return side.events
  })
}

const dataOf = (events, tag) => events.find((e) => e.tag === tag).data

async function look (js, at, work) {
  const ours = new OurSide(path.join(work, 'look'))
  const state = await js.state()
  const info = await command(ours, 'pear-info', js.link, '--peer', at)
  same(dataOf(info, 'info').verlink, js.link.replace('pear://', 'pear://0.' + state.db.length + '.'), 'info: the newest version')
  const raw = run(bin('pear-dump'), ['--storage', ours.dir, '--raw', js.link + '/package.json', '-', '--peer', at])
  same(JSON.parse(raw).version, '1.0.0', 'dump: one file')
  const { moved } = await js.ask('stat')
  check(moved.upBytes < 1 << 20, 'and no more than that: ' + moved.upBytes + ' bytes')
}

async function provision (js, at, work) {
  const ours = new OurSide(path.join(work, 'provision'))
  const { db } = await js.state()
  const production = new JsSide(path.join(work, 'production'))
  await production.open()
  const other = await production.start()
  await ours.open()
  await command(ours, 'pear-provision', '--yes', '--bootstrap', '--peer', at, '--peer', other,
    js.link.replace('pear://', 'pear://0.' + db.length + '.'), ours.link,
    production.link.replace('pear://', 'pear://0.0.'))
  same(await ours.files(), await js.files(), 'provision: the target has the source')

  const follower = new JsSide(path.join(work, 'taker'))
  await follower.fetch(ours.link, await ours.start())
  same(await follower.files(), await js.files(), 'provision: and gives it on')
  for (const side of [follower, ours, production]) await side.stop()
}

async function request (js, at, work) {
  const ours = new OurSide(path.join(work, 'request'))
  const { db, blobs } = await js.state()
  const config = path.join(work, 'multisig.json')
  const publicKeys = [1, 2, 3].map((n) => z32.encode(crypto.keyPair(Buffer.alloc(32, n)).publicKey))
  fs.writeFileSync(config, JSON.stringify({
    type: 'drive', namespace: 'net', quorum: 2, srcKey: js.link.replace('pear://', ''), publicKeys
  }))
  const events = await command(ours, 'hyper-multisig', '--config', config, '--peer', at,
    '--min-peers', '1', '--min-full-copies', '0', 'request', js.link.replace('pear://', 'pear://0.' + db.length + '.'))
  const text = JSON.stringify(events).match(/"request":"([a-z0-9]+)"/)[1]
  const decoded = SignRequest.decode(z32.decode(text))
  same([decoded.length, Buffer.from(decoded.treeHash).toString('hex')], [db.length, db.treeHash], 'request: metadata')
  same([decoded.content.length, Buffer.from(decoded.content.treeHash).toString('hex')],
    [blobs.length, blobs.treeHash], 'request: contents')
}

// Ends by itself once the named peer has everything.
async function until (work) {
  const ours = new OurSide(path.join(work, 'until'))
  const follower = new JsSide(path.join(work, 'until-js'))
  await ours.put('/a', 300000, 1)
  const { key } = await follower.ask('whoami')
  ours.process = ours.command('pear-seed', [ours.link, '--listen', '127.0.0.1:0', '--until-sync', key])
  const l = await ours.event('listening')
  await follower.fetch(ours.link, l.address + ':' + l.key)
  same(await within(ours.process.ended, 'until-sync'), 0, 'until-sync: ends well')
  same(dataOf(ours.events, 'peer-sync'), key, 'until-sync: and says who')
  same(await follower.files(), await ours.files(), 'until-sync: files')
  await follower.stop()
}

// Nobody there, or somebody else: said in time, and by name.
function nobody (work) {
  const key = z32.encode(crypto.keyPair(Buffer.alloc(32, 9)).publicKey)
  const p = spawnSync(bin('pear-dump'), ['--storage', path.join(work, 'nobody'), 'pear://' + key,
    path.join(work, 'nobody-out'), '--peer', '127.0.0.1:1:' + key], { encoding: 'utf8', timeout: 60000 })
  check(p.status === 3, 'nobody answers: status ' + p.status)
  check(/127\.0\.0\.1:1/.test(p.stderr), 'nobody answers: named in ' + p.stderr)
}

main(async (work) => {
  const js = new JsSide(path.join(work, 'js'))
  await js.open()
  const files = folder(path.join(work, 'app'), [['by-arch/linux-x64/app/main', 3000000, 1], ['README', 1000, 2]])
  await js.stage(files)
  const at = await js.start()
  await look(js, at, work)
  await provision(js, at, work)
  await request(js, at, work)
  await until(work)
  nobody(work)
  await js.stop()
})
