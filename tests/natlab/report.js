// report.js: what natlab.js measured, as lines, tables and a page; and what
// is wrong with it.
'use strict'

const TITLES = {
  'ours-ours': 'Ours dials ours',
  'ours-js': 'Ours dials JavaScript',
  'js-ours': 'JavaScript dials ours',
  'js-js': 'JavaScript dials JavaScript: what they are compared with'
}
// Two programs that take their turns on the same processor differ by so much.
const NOISE = 1.1
const NOISE_MS = 15
// Where ports are guessed, chance decides within seconds.
const LUCK = 2

const median = (list) => {
  const s = [...list].sort((a, b) => a - b)
  const half = s.length >> 1
  return s.length % 2 ? s[half] : (s[half - 1] + s[half]) / 2
}

const name = (c) => c.pair + ', ' + c.dials + ' to ' + c.listens
const isThrough = (run) => run.why === undefined
const isGuessed = (c) => [c.dials, c.listens].includes('symmetric') &&
  ![c.dials, c.listens].includes('open')

function sums (c) {
  const ms = c.runs.filter(isThrough).map((r) => r.ms)
  return {
    tried: c.runs.length,
    through: ms.length,
    median: ms.length ? median(ms) : null,
    most: Math.max(...ms),
    why: [...new Set(c.runs.filter((r) => !isThrough(r)).map((r) => r.why))]
  }
}

function line (c) {
  const s = sums(c)
  const times = s.median === null ? '' : ', median ' + s.median + ' ms, most ' + s.most + ' ms'
  const why = s.why.length ? ' (' + s.why.join('; ') + ')' : ''
  return name(c) + ': ' + s.through + ' of ' + s.tried + times + why + (c.error ? ': ' + c.error : '')
}

// What is wrong with a cell, or null.
function complaint (c, all) {
  if (c.error) return c.error
  const base = all.find((x) => x.pair === 'js-js' && x.dials === c.dials && x.listens === c.listens)
  const got = sums(c)
  if (!base) {
    const hopeless = c.dials === 'symmetric' && c.listens === 'symmetric'
    return got.through > 0 || hopeless ? null : 'nobody gets through: ' + got.why.join('; ')
  }
  if (base === c) return null
  const want = sums(base)
  // one in fifty guesses takes longer than an attempt may
  const rate = (x) => x.through / x.tried
  if (rate(got) < rate(want) - (isGuessed(c) ? 0.1 : 0)) {
    return got.through + ' of ' + got.tried + ' get through instead of ' +
      want.through + ' of ' + want.tried + ': ' + got.why.join('; ')
  }
  const most = want.median * (isGuessed(c) ? LUCK : NOISE) + NOISE_MS
  return want.median !== null && got.median > most
    ? got.median + ' ms instead of ' + want.median + ' ms'
    : null
}

function text (c) {
  if (!c || !c.runs.length) return ''
  const s = sums(c)
  if (s.through === 0) return 'none'
  const time = s.median < 1000 ? Math.round(s.median) + ' ms' : (s.median / 1000).toFixed(1) + ' s'
  return time + (s.through < s.tried ? ' (' + s.through + ' of ' + s.tried + ')' : '')
}

function table (all, pair, kinds) {
  const row = (cells) => '| ' + cells.join(' | ') + ' |'
  const at = (d, l) => all.find((c) => c.pair === pair && c.dials === d && c.listens === l)
  return [row(['', ...kinds]), '|---|' + kinds.map(() => '---:|').join(''),
    ...kinds.map((d) => row(['**' + d + '**', ...kinds.map((l) => text(at(d, l)))]))].join('\n')
}

function tables (all) {
  const kinds = [...new Set(all.flatMap((c) => [c.dials, c.listens]))]
  return Object.keys(TITLES).filter((p) => all.some((c) => c.pair === p))
    .map((p) => '## ' + TITLES[p] + '\n\n' + table(all, p, kinds)).join('\n\n') + '\n'
}

const page = (all, o) => `# Through NATs

Made by \`make natlab NATLAB="--doc docs/NAT.md"\`: two hosts, each behind a
router of its own, in network namespaces, and between them a DHT of six nodes,
three of ours and three of JavaScript (hyperdht, pinned in tests/interop).
Each router's line takes ${o.delay} ms each way, so a packet and its answer take
${2 * o.delay} ms between a host and a node, ${4 * o.delay} ms between the hosts. The way is too
long for the bytes that are meant for the own NAT alone (TTL 5).

A row is the NAT of the side that dials, a column that of the side that
listens; a cell is the median of ${o.runs} attempts or more, of at most 20 s each. Before
each attempt both sides are new nodes with new sockets, both routers have
forgotten everything, and the listener is announced. Time runs in the dialling
program, from the order to connect to a public key, given to a node that has
finished its bootstrap, to the first bytes of the other side's stream.
(hyperdht tells its program earlier, as soon as it has chosen where to send.)
Ours is all of lib/peer with its two threads and a store.

| NAT | what the router does |
|---|---|
| open | none: a public address, and everything comes in |
| full cone | one port for each port inside, for everybody |
| address-restricted | the same, for hosts that were sent something |
| port-restricted | the same, for ports that were sent something |
| symmetric | another random port for each destination |

${tables(all)}
Where one side is symmetric and the other one is not open, nobody knows where to
send. hyperdht guesses: 256 sockets on one side, a random port each 20 ms on the
other, which takes some seconds. Ours sends one byte first, to where the other
side opened its NAT; that is enough if the NAT there minds hosts only, as a full
cone and an address-restricted one do, and spends nobody's turn at guessing.
Else it guesses too, each 10 ms. If the symmetric side is JavaScript that byte is
not sent, and some of these cells are guesses again. Chance decides about them:
who guesses each 20 ms needs 3.5 s in the median by calculation, and one attempt
in fifty takes more than the 20 s it has here.

Before it dials, a node asks others whether it can be reached from outside. In
three attempts of ten hyperdht does not know when its bootstrap is over, and
punches a hole from a host that is open (150 ms, or seconds).

Two symmetric ones have nothing to guess with; both stacks say so at once.

## At a relay

Two of whom both are behind such a NAT meet at a blind relay, if one of them
names it (\`PEAR_DHT_RELAY\`, \`--relay\`); \`make relay\` shows it, with the relay of
the original. A direct way that is found meanwhile takes over: what the relay
had not delivered two seconds later goes the direct way as well, so a relay
that dies then loses nothing.

A relay that dies while it is needed takes the connection with it. That is
noticed within 19 s, by packets that nobody acknowledges, and the other side is
dialled again a second or two later, then after 5 and 15 s if that fails, and
after a minute at most from then on; a dial gives the relay 15 s. Blocks that
came are kept, and nothing is fetched twice but what was on its way. A fetch
that got no block for 30 s ends with the name of the peer, what is between the
two, and what the relay did or did not do.
`

module.exports = { name, line, complaint, tables, page }
