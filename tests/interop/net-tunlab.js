// The line of tests/tunlab: the same seed loses and doubles the same packets,
// another one others; and what was asked for is what is lost.
'use strict'
const readline = require('readline')
const { main, check, same, tool } = require('./common')
const tunlab = require('../tunlab/tunlab')

const COUNT = 4000

// Echoes the first datagram of all, and tells at the end how often each came.
function take (count) {
  const s = require('dgram').createSocket('udp4')
  const came = new Array(count).fill(0)
  s.bind(0, '10.9.0.2', () => {
    s.setRecvBufferSize(4 << 20)
    console.log(s.address().port)
  })
  s.on('message', (d, from) => {
    const n = d.readUInt32LE()
    if (n < count) came[n]++
    else {
      console.log(came.join(''))
      s.close()
    }
    if (n === 0) s.send(d, from.port, from.address)
  })
}

// Sends all of them once, then the end until it is stopped; tells how long
// the echo took.
function give (count, port) {
  const s = require('dgram').createSocket('udp4')
  const send = (n) => {
    const d = Buffer.alloc(100)
    d.writeUInt32LE(n)
    s.send(d, port, '10.9.0.2')
  }
  const start = Date.now()
  s.on('message', () => console.log(Date.now() - start))
  let n = 0
  const next = () => {
    for (let i = 0; i < 20 && n < count; i++) send(n++)
    if (n < count) setImmediate(next)
    else setInterval(() => send(count), 100)
  }
  next()
}

async function run (line) {
  const lab = await tunlab.open(tool('tunlab'), line)
  if (!lab) return null
  const node = (side, f, ...args) => lab.spawn(side, process.execPath,
    ['-e', '(' + f + ')(' + args.join(',') + ')'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const b = node('b', take, COUNT)
  const lines = readline.createInterface({ input: b.stdout })[Symbol.asyncIterator]()
  const port = (await lines.next()).value
  const a = node('a', give, COUNT, port)
  let rtt = Infinity
  readline.createInterface({ input: a.stdout }).on('line', (l) => { rtt = Math.min(rtt, Number(l)) })
  const came = (await lines.next()).value
  a.kill()
  await lab.close()
  return { came, rtt }
}

main(async () => {
  const line = { seed: 7, loss: 500, dup: 100, delay: 20 }
  const one = await run(line)
  if (!one) {
    console.log('no namespaces here (needs root): skipped')
    return check(true, 'skipped')
  }
  const count = (s, c) => s.split(c).length - 1
  const lost = count(one.came, '0')
  check(lost > COUNT * 0.035 && lost < COUNT * 0.065, '5 % are lost: ' + lost)
  const twice = count(one.came, '2')
  check(twice > COUNT * 0.005 && twice < COUNT * 0.015, '1 % come twice: ' + twice)
  same((await run(line)).came, one.came, 'the same seed, the same fate')
  check((await run({ ...line, seed: 8 })).came !== one.came, 'another seed, another fate')
  const good = await run({ seed: 7, delay: 20 })
  check(count(good.came, '1') === COUNT, 'a good line loses nothing')
  check(good.rtt >= 40, 'twice the delay and no less: ' + good.rtt + ' ms')
})
