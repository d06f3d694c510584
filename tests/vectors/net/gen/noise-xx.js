// Noise XX as raw secret streams run it: fixed static and ephemeral keys, the
// state behind each message, without and with payloads and a prologue.
//   NODE_PATH=... node noise-xx.js > ../noise-xx.json
const Noise = require('noise-handshake')
const curve = require('noise-curve-ed')

const hex = (b) => Buffer.from(b).toString('hex')
const seed = (n) => Buffer.alloc(32, n)

function run (about, prologue, payloads) {
  const who = [
    new Noise('XX', true, curve.generateKeyPair(seed(1)), { curve }),
    new Noise('XX', false, curve.generateKeyPair(seed(2)), { curve })
  ]
  const ends = who.map(n => n.s)
  who.forEach((n, i) => {
    n.initialise(prologue)
    n.e = curve.generateKeyPair(seed(3 + i))
  })
  const messages = payloads.map((p, i) => {
    const from = who[i % 2]
    const to = who[1 - (i % 2)]
    const bytes = Buffer.from(from.send(p)) // the handshake wipes parts of its own
    const state = from.complete ? {} : { h: hex(from.digest), ck: hex(from.chainingKey) }
    const got = to.recv(Buffer.from(bytes))
    if (hex(got) !== hex(p)) throw new Error('payload')
    return { payload: hex(p), bytes: hex(bytes), ...state }
  })
  const [a, b] = who
  if (!a.complete || hex(a.hash) !== hex(b.hash) || hex(a.tx) !== hex(b.rx)) throw new Error('handshake')
  return {
    about,
    prologue: hex(prologue),
    initiator: { seed: hex(seed(1)), ephemeral: hex(seed(3)), publicKey: hex(ends[0].publicKey) },
    responder: { seed: hex(seed(2)), ephemeral: hex(seed(4)), publicKey: hex(ends[1].publicKey) },
    messages,
    hash: hex(a.hash),
    initiatorTx: hex(a.tx),
    initiatorRx: hex(a.rx)
  }
}

const none = Buffer.alloc(0)
const text = (s) => Buffer.from(s)
console.log(JSON.stringify({
  packages: {
    'noise-handshake': require('noise-handshake/package.json').version,
    'noise-curve-ed': require('noise-curve-ed/package.json').version
  },
  runs: [
    run('as secret streams do', none, [none, none, none]),
    run('with payloads and a prologue', text('a prologue'), [text('one'), text('two and more'), Buffer.alloc(300, 0x33)])
  ]
}, null, 1))
