// js_relay.js HOST PORT BOOTSTRAP SEED: a blind relay of the original. Says
// "relay KEY" when it can be dialled; a line on its standard input is answered
// with how many bytes went through it so far.
'use strict'
const readline = require('readline')
const DHT = require('hyperdht')
const { Server } = require('blind-relay')
const persistent = require('./js_persistent')

const [host, port, bootstrap, seed] = process.argv.slice(2)
const dht = persistent(host, port, bootstrap)
const streams = []

const relay = new Server({
  createStream (opts) {
    const s = dht.createRawStream({ ...opts, framed: true })
    streams.push(s)
    return s
  }
})

const server = dht.createServer({ shareLocalAddress: false }, (socket) => {
  socket.on('error', () => {})
  relay.accept(socket, { id: socket.remotePublicKey }).on('error', () => {})
})
server.listen(DHT.keyPair(Buffer.from(seed, 'hex'))).then(() => console.log('relay ' + server.publicKey.toString('hex')))

readline.createInterface({ input: process.stdin })
  .on('line', () => {
    const { matched } = relay.stats.pairings
    console.log(JSON.stringify({
      matched,
      sessions: relay.stats.sessions.active,
      bytes: streams.reduce((n, s) => n + s.bytesReceived, 0)
    }))
  })
  .on('close', () => process.exit(0))
