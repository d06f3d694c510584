// natlab.js BUILD [OPTION...]: who gets through to whom, and how fast.
//
//	--runs N	attempts of each cell (10), those of --json among them
//	--pairs LIST	of ours-ours,ours-js,js-ours,js-js: who dials whom
//	--kinds LIST	of the NATs of lab.js, on both sides
//	--labs N	so many networks at once (3)
//	--delay MS	of each of the two lines, each way (10)
//	--smoke		few cells, once: does it work at all?
//	--doc FILE	write the tables there
//	--json FILE	keep, and go on with, what was measured
//
// The last line is what tests/run.sh counts. A cell is good if ours gets
// through wherever JavaScript does with the same NATs, and not slower.
'use strict'
const fs = require('fs')
const os = require('os')
const path = require('path')
const labs = require('./lab')
const report = require('./report')
const { carry } = require('./drive')
const Side = require('./side')

const PAIRS = ['ours-ours', 'ours-js', 'js-ours', 'js-js']
const KINDS = Object.keys(labs.KINDS)
const SMOKE = [['open', 'port-restricted'], ['port-restricted', 'port-restricted'],
  ['full cone', 'symmetric'], ['symmetric', 'symmetric']]

function options (argv) {
  const o = { build: path.resolve(argv[0]), runs: 10, pairs: PAIRS, kinds: KINDS, labs: 3, delay: 10 }
  for (let i = 1; i < argv.length; i++) {
    const name = argv[i].slice(2)
    if (name === 'smoke') o.smoke = true
    else if (['pairs', 'kinds'].includes(name)) o[name] = argv[++i].split(',')
    else if (['runs', 'labs', 'delay'].includes(name)) o[name] = Number(argv[++i])
    else if (['doc', 'json'].includes(name)) o[name] = argv[++i]
    else throw new Error('no such option: ' + argv[i])
  }
  if (o.smoke) Object.assign(o, { runs: 1, pairs: PAIRS.slice(0, 3), labs: 1 })
  return o
}

function cells (o) {
  const out = []
  const natted = o.smoke ? SMOKE : o.kinds.flatMap((a) => o.kinds.map((b) => [a, b]))
  for (const [dials, listens] of natted) {
    for (const pair of o.pairs) out.push({ pair, dials, listens, runs: [] })
  }
  return out
}

async function attempt (lab, dialler, listener) {
  lab.forget()
  const [, key] = await listener.ask('listen')
  const [what, ms, ...why] = await dialler.ask('connect ' + key)
  await Promise.all([dialler.ask('stop'), listener.ask('stop')])
  return what === 'open' ? { ms: Number(ms) } : { ms: Number(ms), why: why.join(' ') }
}

// All cells with the same NATs, in turns: what else this machine does slows
// all of them alike.
async function measure (lab, group, o, work) {
  const sides = {}
  const program = (side, who) => (sides[side + who] = sides[side + who] || new Side(lab, side, who, work))
  lab.side('a', group[0].dials)
  lab.side('b', group[0].listens)
  for (let n = 0; n < o.runs; n++) {
    for (const cell of group) {
      if (cell.runs.length > n || cell.error) continue
      const [dials, listens] = cell.pair.split('-')
      try {
        cell.runs.push(await attempt(lab, program('a', dials), program('b', listens)))
      } catch (err) {
        cell.error = err.message
      }
    }
  }
  for (const s of Object.values(sides)) s.close()
}

async function work (lab, queue, o, dir, keep) {
  for (let group; (group = queue.shift());) {
    await measure(lab, group, o, dir)
    for (const cell of group) console.log(report.line(cell))
    keep()
  }
}

// Through the NATs that most people are behind, with all of the product.
async function drives (lab, dir) {
  const bad = []
  lab.side('a', 'port-restricted')
  lab.side('b', 'port-restricted')
  for (const [seeds, fetches] of [['ours', 'ours'], ['ours', 'js'], ['js', 'ours']]) {
    lab.forget()
    const why = await carry(lab, seeds, fetches, dir)
    const text = fetches + ' fetches a drive that ' + seeds + ' seeds: ' + (why || 'ok')
    console.log(text)
    if (why) bad.push(text)
  }
  return bad
}

async function main () {
  const o = options(process.argv.slice(2))
  const missing = labs.missing()
  if (missing) {
    console.log('skipped: ' + missing + '\n1 passed, 0 failed')
    return
  }
  const all = cells(o)
  if (o.json && fs.existsSync(o.json)) {
    const old = JSON.parse(fs.readFileSync(o.json))
    for (const c of all) {
      const was = old.find((x) => report.name(x) === report.name(c))
      if (was) c.runs = was.runs
    }
  }
  const keep = () => o.json && fs.writeFileSync(o.json, JSON.stringify(all))
  const todo = all.filter((c) => c.runs.length < o.runs)
  const nats = (c) => c.dials + ' to ' + c.listens
  const queue = [...new Set(todo.map(nats))].map((n) => todo.filter((c) => nats(c) === n))
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'natlab-'))
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }))
  const running = []
  for (let i = 0; i < Math.min(o.labs, queue.length); i++) {
    const lab = await labs.open(o.build, o.delay)
    if (!lab) {
      console.log('skipped: no network namespaces here\n1 passed, 0 failed')
      return
    }
    running.push({ lab, done: work(lab, queue, o, dir, keep) })
  }
  for (const r of running) await r.done
  const undelivered = running.length ? await drives(running[0].lab, dir) : []
  for (const r of running) await r.lab.close()
  if (!o.smoke) console.log(report.tables(all))
  if (o.doc) fs.writeFileSync(o.doc, report.page(all, o))
  const bad = all.filter((c) => report.complaint(c, all))
  for (const c of bad) console.log('FAIL: ' + report.name(c) + ': ' + report.complaint(c, all))
  for (const text of undelivered) console.log('FAIL: ' + text)
  const failed = bad.length + undelivered.length
  const drivesDone = running.length ? 3 : 0
  console.log(all.length + drivesDone - failed + ' passed, ' + failed + ' failed')
  process.exitCode = failed ? 1 : 0
}

main().then(() => process.exit(), (err) => {
  console.error(err)
  process.exit(1)
})
