// blind-relay.json: pair messages, and what a client and a relay say to each
// other, frame by frame, as blind-relay and protomux write them.
//
//   NODE_PATH=... node blind-relay.js > ../blind-relay.json
'use strict'
const c = require('compact-encoding')
const relay = require('blind-relay')
const NoiseStream = require('@hyperswarm/secret-stream')

const hex = (b) => Buffer.from(b).toString('hex')

function messages () {
  const list = [[true, 1, 0, 0], [false, 2, 252, 0], [true, 3, 253, 0], [false, 255, 65535, 7],
    [true, 4, 65536, 0], [false, 5, 4294967295, 300]]
  return list.map(([isInitiator, token, id, seq]) => {
    const m = { isInitiator, token: Buffer.alloc(32, token), id, seq }
    return { initiator: isInitiator, token: hex(m.token), id, seq, hex: hex(c.encode(relay.messages.pair, m)) }
  })
}

// A stream that exists by name only: the relay's.
function raw (id) {
  const s = { id, on: () => s, off: () => s, relayTo: () => s, destroy: () => s }
  return s
}

function connect (id, log) {
  const a = new NoiseStream(true)
  const b = new NoiseStream(false)
  a.rawStream.pipe(b.rawStream).pipe(a.rawStream)
  for (const [s, from] of [[a, 'client'], [b, 'relay']]) {
    const write = s.write
    s.write = (data) => {
      log.push({ from, hex: hex(data) })
      return write.call(s, data)
    }
    s.on('error', () => {})
  }
  return { client: a, relay: b, id: Buffer.alloc(32, id) }
}

async function session () {
  let next = 700
  const server = new relay.Server({ createStream: () => raw(next++) })
  const token = Buffer.alloc(32, 0xaa)
  const out = []
  for (const [id, isInitiator, stream] of [[0x11, true, 500], [0x22, false, 600]]) {
    const frames = []
    const k = connect(id, frames)
    await k.client.opened
    server.accept(k.relay, { id: k.id }).on('error', () => {})
    const client = new relay.Client(k.client, { id: k.id })
    const answer = new Promise((resolve) =>
      client.pair(isInitiator, token, { id: stream }).on('error', () => {}).on('data', resolve))
    out.push({ key: hex(k.id), token: hex(token), initiator: isInitiator, stream, answer, frames })
  }
  for (const o of out) o.answer = await o.answer
  return out
}

session().then((sessions) => {
  const text = JSON.stringify({ messages: messages(), sessions }, null, 1) + '\n'
  process.stdout.write(text, () => process.exit())
})
