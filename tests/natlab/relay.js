// relay.js BUILD [--smoke | NAME...]: peers that no way brings together, two
// symmetric NATs, meet at a blind relay of the original; a direct way that is
// found later takes over; a relay dies and comes back. The last line is what
// tests/run.sh counts. All cases, those of --smoke, or those whose name has
// one of the words; in two labs at once.
'use strict'
const fs = require('fs')
const os = require('os')
const path = require('path')
const readline = require('readline')
const DHT = require('hyperdht')
const labs = require('./lab')
const { carry } = require('./drive')
const Side = require('./side')

const PORT = 49800
const HOST = labs.NODES[5]
const SEED = '07'.repeat(32)

// The relay, with the same key each time it is started.
class Relay {
  constructor (lab) {
    this.lab = lab
  }

  async start () {
    this.process = this.lab.run('far a', process.execPath,
      [path.join(__dirname, 'js_relay.js'), HOST, String(PORT), labs.BOOTSTRAP[0], SEED],
      { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = readline.createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
    process.env.PEAR_DHT_RELAY = (await this.line()).split(' ')[1]
  }

  async line () {
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the relay ended')
    return value
  }

  async stats () {
    this.process.stdin.write('\n')
    return JSON.parse(await this.line())
  }

  kill () {
    this.process.kill('SIGKILL')
  }
}

const hopeless = (lab) => {
  lab.side('a', 'symmetric')
  lab.side('b', 'symmetric')
}

// Open, by the relay and by nothing else.
async function meet (lab, relay, work, dials, listens) {
  hopeless(lab)
  const before = await relay.stats()
  const from = new Side(lab, 'a', dials, work)
  const to = new Side(lab, 'b', listens, work)
  try {
    const [, key] = await to.ask('listen')
    const answer = await from.ask('connect ' + key)
    const { matched } = await relay.stats()
    if (answer[0] !== 'open') return answer.join(' ')
    return matched > before.matched ? null : 'the relay knows nothing of it'
  } finally {
    from.close()
    to.close()
  }
}

async function drive (lab, relay, work, seeds, fetches) {
  hopeless(lab)
  const before = await relay.stats()
  const why = await carry(lab, seeds, fetches, work)
  const { bytes } = await relay.stats()
  return why || (bytes - before.bytes > 300000 ? null : 'only ' + (bytes - before.bytes) + ' bytes went through the relay')
}

const SIZE = 10e6
const SLOWLY = ['--limit-up', '1MB'] // ten seconds for all of it
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Ports are guessed in a few seconds; by then much has come by the relay.
async function upgrade (lab, relay, work, fetches) {
  lab.side('a', 'symmetric')
  lab.side('b', 'port-restricted')
  const before = await relay.stats()
  const why = await carry(lab, 'ours', fetches, work, { size: SIZE, seeding: SLOWLY })
  const { bytes, matched } = await relay.stats()
  if (why) return why
  if (matched === before.matched) return 'the relay knows nothing of it'
  const part = (bytes - before.bytes) / SIZE
  return part < 0.95 ? null : 'all of it went through the relay'
}

// Killed in the middle, and started again.
async function death (lab, relay, work, fetches) {
  hopeless(lab)
  const during = async () => {
    await sleep(4000)
    relay.kill()
    await relay.start()
  }
  const why = await carry(lab, 'ours', fetches, work, { size: SIZE, seeding: SLOWLY, during })
  const { bytes } = await relay.stats()
  return why || (bytes > 0 ? null : 'the second relay saw nothing')
}

// It does not come back: who fetches says whom it could not reach, and why.
async function loss (lab, relay, work) {
  hopeless(lab)
  const during = async () => {
    await sleep(4000)
    relay.kill()
  }
  const why = await carry(lab, 'ours', 'ours', work, { size: SIZE, seeding: SLOWLY, during })
  await relay.start()
  // a dial that began after the end of the connection may still go on then
  const said = /could be reached \([a-z0-9]{52}: (no way .*, nor by the relay: |the relay is gone|connection timed out)/
  return said.test(why) ? null : why || 'without a relay'
}

const stranger = () => DHT.keyPair().publicKey.toString('hex')

// A key that nobody has: it fails in time, and says why.
async function nobody (lab, _, work, key, why) {
  hopeless(lab)
  const relay = process.env.PEAR_DHT_RELAY
  process.env.PEAR_DHT_RELAY = key
  const from = new Side(lab, 'a', 'ours', work)
  const to = new Side(lab, 'b', 'ours', work)
  process.env.PEAR_DHT_RELAY = relay
  try {
    const [, target] = await to.ask('listen')
    const answer = (await from.ask('connect ' + target)).join(' ')
    return answer.endsWith('no way through both its NAT and ours, nor by the relay: ' + why) ? null : answer
  } finally {
    from.close()
    to.close()
  }
}

// In the order in which they are begun, the long ones first. Those of --smoke
// do not depend on chance, as guesses of ports do, and end soon.
function cases () {
  const list = [
    { name: 'ours: the relay dies', smoke: true, run: (...at) => death(...at, 'ours') },
    { name: 'js: the relay dies', run: (...at) => death(...at, 'js') },
    { name: 'the relay is gone for good', run: loss },
    { name: 'ours: a direct way is found', run: (...at) => upgrade(...at, 'ours') },
    { name: 'js: a direct way is found', run: (...at) => upgrade(...at, 'js') },
    { name: 'nobody is the relay', smoke: true, run: (...at) => nobody(...at, stranger(), 'nobody knows it') },
    { name: 'the relay has no key', smoke: true, run: (...at) => nobody(...at, '99'.repeat(32), 'it cannot be dialled') }
  ]
  for (const [a, b] of [['ours', 'ours'], ['ours', 'js'], ['js', 'ours']]) {
    list.push({ name: a + ' dials ' + b, smoke: true, run: (...at) => meet(...at, a, b) })
    list.push({ name: a + ' fetches a drive of ' + b, smoke: true, run: (...at) => drive(...at, b, a) })
  }
  return list
}

function chosen (words) {
  if (words[0] === '--smoke') return cases().filter((c) => c.smoke)
  return cases().filter((c) => !words.length || words.some((w) => c.name.includes(w)))
}

// A lab of its own, with a relay, until no case is left; how many failed.
async function work (lab, queue, dir) {
  const relay = new Relay(lab)
  let failed = 0
  await relay.start()
  for (let c; (c = queue.shift());) {
    const began = Date.now()
    lab.forget()
    const why = await c.run(lab, relay, dir).catch((err) => err.stack)
    console.log(c.name + ': ' + (why || 'ok') + ' (' + (Date.now() - began) + ' ms)')
    if (why) failed++
  }
  await lab.close()
  return failed
}

async function main () {
  const [build, ...words] = process.argv.slice(2)
  const missing = labs.missing()
  const lab = missing ? null : await labs.open(path.resolve(build), 10)
  if (!lab) {
    console.log('skipped: ' + (missing || 'no network namespaces here') + '\n1 passed, 0 failed')
    return
  }
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'relay-'))
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }))
  const queue = chosen(words)
  const all = queue.length
  const running = [work(lab, queue, dir)]
  if (all > 1) running.push(work(await labs.open(path.resolve(build), 10), queue, dir))
  const failed = (await Promise.all(running)).reduce((n, f) => n + f, 0)
  console.log(all - failed + ' passed, ' + failed + ' failed')
  process.exitCode = failed ? 1 : 0
}

main().then(() => process.exit(), (err) => {
  console.error(err)
  process.exit(1)
})
