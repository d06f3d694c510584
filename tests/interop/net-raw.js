// A raw stream of each side (UDX, secret stream, Noise XX on it) echoes what
// ours sends, with and without datagrams thrown away on the way.
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')
const readline = require('readline')
const SecretStream = require('@hyperswarm/secret-stream')
const UDX = require('udx-native')
const { main, check, same, tool } = require('./common')

let id = 1

async function one (role, bytes, drop) {
  const what = 'ours ' + role + ', ' + bytes + ' bytes, ' + drop / 100 + ' % lost'
  const udx = new UDX()
  const socket = udx.createSocket()
  socket.bind(0, '127.0.0.1')
  const [own, remote] = [id++, id++]
  const raw = udx.createStream(remote, { firewall: () => false })
  const p = spawn(tool('net_raw'), [socket.address().port, own, remote, role, bytes, drop].map(String),
    { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(p, 'exit')
  const lines = []
  const input = readline.createInterface({ input: p.stdout }).on('line', (l) => lines.push(l))
  await once(input, 'line')
  raw.connect(socket, own, Number(lines[0]), '127.0.0.1')
  const stream = new SecretStream(role === 'responder', raw)
  let got = 0
  let fault = null
  stream.on('data', (d) => {
    got += d.length
    stream.write(d)
  })
  stream.on('end', () => stream.end())
  stream.on('error', (err) => { fault = err.message })
  raw.on('error', (err) => { fault = err.message })
  const closed = new Promise((resolve) => raw.on('close', resolve))
  const [status] = await ended
  same([status, got, (lines[1] || '').slice(0, 2)], [0, bytes, 'ok'], what)
  if (status !== 0) raw.destroy()
  await closed
  same(fault, null, what + ': JavaScript ends well')
  if (drop && bytes > 1 << 20) check(Number(lines[1].slice(3)) > 0, what + ': some were sent again')
  await socket.close()
}

main(async () => {
  for (const role of ['initiator', 'responder']) {
    await one(role, 1, 0)
    await one(role, 65537, 0)
    await one(role, 8 << 20, 0)
    await one(role, 1, 500)
    await one(role, 4 << 20, 100)
    await one(role, 2 << 20, 1000)
  }
})
