// dashboard.js BUILD: the page of a real pear-seed in Chromium, while another
// one downloads from it: figures and plots move, a phone and a desk can read
// it, light and dark, and names from a drive stay text. Pictures of it are
// left in BUILD/screenshots. Prints what is wrong, then "N passed, N failed".
'use strict'

const fs = require('fs')
const http = require('http')
const os = require('os')
const path = require('path')
const readline = require('readline')
const { execFileSync, spawn } = require('child_process')
const { chromium } = require('playwright-core')

const build = path.resolve(process.argv[2])
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-'))
const shots = path.join(build, 'screenshots')
const HOSTILE = '<img src=x onerror=document.title=1>'
let passed = 0
let failed = 0

function check (ok, what) {
  if (ok) passed++
  else {
    failed++
    console.log('FAIL: ' + what)
  }
}

// -- seeders -----------------------------------------------------------------

const env = { ...process.env, HOME: work, PEAR_DHT_BOOTSTRAP: 'none' }
const tool = (name) => path.join(build, 'bin', name)
const run = (name, ...args) =>
  execFileSync(tool(name), args, { env, encoding: 'utf8' }).trim()

function drive (name, bytes) {
  const dir = path.join(work, 'in-' + bytes)
  const link = run('pear-touch', '--storage', path.join(work, 'one'))

  fs.mkdirSync(dir)
  fs.writeFileSync(path.join(dir, 'package.json'),
    JSON.stringify({ name, version: '1.0.0' }))
  // no block twice: what is shared is not fetched again
  fs.writeFileSync(path.join(dir, 'data'), require('crypto')
    .randomBytes(bytes))
  run('pear-stage', '--storage', path.join(work, 'one'), link, dir)
  return link
}

class Seeder {
  constructor (name, args) {
    this.tags = new Map()
    this.waiting = []
    this.child = spawn(tool('pear-seed'), ['--json', '--stats-interval',
      '200', '--storage', path.join(work, name), '--listen', '127.0.0.1:0',
      ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.ended = new Promise((resolve) => this.child.on('exit', resolve))
    readline.createInterface({ input: this.child.stdout })
      .on('line', (line) => {
        const { tag, data } = JSON.parse(line)

        this.tags.set(tag, data)
        this.waiting = this.waiting.filter((w) => !w(tag, data))
      })
  }

  event (tag, test = () => true) {
    const last = this.tags.get(tag)

    if (last !== undefined && test(last)) return Promise.resolve(last)
    return new Promise((resolve) => this.waiting.push((t, data) => {
      if (t !== tag || !test(data)) return false
      resolve(data)
      return true
    }))
  }

  async stop () {
    this.child.kill('SIGTERM')
    check(await this.ended === 0, 'the seeder ends well')
  }
}

// -- without a browser ---------------------------------------------------------

function ask (base, page, options = {}) {
  return new Promise((resolve, reject) => {
    http.request(base + page, options, (res) => {
      let body = ''

      res.on('data', (d) => { body += d })
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body }))
    }).on('error', reject).end()
  })
}

async function plain (base, link) {
  const key = link.slice('pear://'.length)
  const metrics = await ask(base, '/metrics')
  const state = JSON.parse((await ask(base, '/api/state.json')).body)
  const page = await ask(base, '/')
  const other = await ask(base, '/')
  const nonce = (r) => /'nonce-([0-9a-f]{32})'/.exec(r.headers['content-security-policy'])[1]

  check(metrics.headers['content-type'].startsWith('text/plain; version=0.0.4'), 'type of metrics')
  check(metrics.body.includes(`pear_seed_drive_length_blocks{drive="${key}",core="metadata"} `), 'metrics of the drive')
  check(metrics.body.includes('\npear_seed_resident_memory_bytes '), 'memory')
  check(state.drives.some((d) => d.key === key), 'the drive is in the state')
  check(page.headers['content-security-policy'].startsWith("default-src 'none';"), 'policy')
  check(nonce(page) !== nonce(other), 'a nonce is used once')
  check(page.body.split(nonce(page)).length === 3 && !page.body.includes('@NONCE@'), 'the nonce is where it is needed')
  check((await ask(base, '/', { method: 'POST' })).status === 405, 'nothing is posted')
  check((await ask(base, '/', { headers: { Host: 'evil.example' } })).status === 403, 'a foreign name')
  check((await ask(base, '/etc/passwd')).status === 404, 'no files')
}

// -- in a browser ----------------------------------------------------------------

async function open (browser, base, options) {
  const page = await browser.newPage(options)
  const talk = []

  page.on('console', (m) => talk.push(m.text()))
  page.on('pageerror', (e) => talk.push(String(e)))
  page.on('request', (r) => { if (!r.url().startsWith(base) && !r.url().startsWith('data:')) talk.push(r.url()) })
  await page.goto(base + '/')
  await page.waitForFunction(() => Number(document.body.dataset.updates) > 0)
    .catch((e) => { throw new Error(e.message + '; the page says: ' + talk) })
  return { page, talk }
}

async function moves (browser, base) {
  const { page, talk } = await open(browser, base, {})

  // traffic is drawn: some second is above the ground
  await page.waitForFunction(() => {
    const d = document.querySelector('svg path.up').getAttribute('d')
    return [...d.matchAll(/[ML][0-9.]+ ([0-9.]+)/g)].some((m) => Number(m[1]) < 90)
  })
  const first = Number(await page.evaluate(() => document.body.dataset.updates))
  await page.waitForFunction((n) => Number(document.body.dataset.updates) > n, first)
  check(await page.locator('svg').count() === 3, 'three plots')
  check(await page.locator('tbody tr').count() === 2, 'a row for each drive')
  check((await page.textContent('#drives')).includes(HOSTILE), 'a name is text')
  check(await page.locator('#drives img').count() === 0, 'and nothing else')
  check(await page.locator('.pill.complete').count() === 2, 'both are complete')
  await page.getByRole('button', { name: '24 hours' }).click()
  check((await page.textContent('#plots')).includes('1 h 0 min ago'), 'the day')
  check(await page.getAttribute('[data-span=minutes]', 'aria-pressed') === 'true', 'the button says so')
  check((await page.getAttribute('svg', 'aria-label')).startsWith('Traffic: received '), 'a plot has words')
  check(await page.title() === 'pear-seed', 'no script of a drive ran')
  check(talk.length === 0, 'the page is quiet: ' + talk)
  await page.close()
}

// Contrast of what is read with what is behind it (WCAG 2).
function contrasts () {
  const parse = (text) => text.match(/[0-9.]+/g).map(Number)
  const channel = (c) =>
    c <= 10.31475 ? c / 3294.6 : Math.pow((c / 255 + 0.055) / 1.055, 2.4)
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) +
    0.0722 * channel(b)
  const behind = (el) => {
    for (; el; el = el.parentElement) {
      const c = parse(getComputedStyle(el).backgroundColor)

      if (c.length === 3 || c[3] === 1) return c
    }
    return [255, 255, 255]
  }
  return ['h1', 'h2', 'h3', '.soft', 'dt', 'dd', 'dd small', 'button',
    'button[aria-pressed=true]', '.legend', '.legend b.down', '.legend b.up',
    '.legend b.connections', '.legend b.memory', '.axis span', 'tbody th',
    'tbody td', '.pill', 'footer p', '.key'
  ].map((selector) => {
    const el = document.querySelector(selector)
    const [a, b] = [light(parse(getComputedStyle(el).color)),
      light(behind(el))].sort((x, y) => y - x)

    return [selector, (a + 0.05) / (b + 0.05)]
  })
}

function sticking () {
  const out = document.documentElement.scrollWidth > innerWidth ? ['the page'] : []

  for (const el of document.querySelectorAll('main *, header *, footer *')) {
    if (el.closest('svg') || el.closest('thead')) continue
    const r = el.getBoundingClientRect()

    if (r.right > innerWidth + 0.5 || r.left < -0.5) out.push(el.localName + ' ' + el.textContent.slice(0, 30))
  }
  return out
}

async function looks (browser, base, width, colorScheme) {
  const name = width + '-' + colorScheme
  const { page } = await open(browser, base, { viewport: { width, height: 900 }, colorScheme })
  const out = await page.evaluate(sticking)

  check(out.length === 0, name + ': too wide: ' + out.slice(0, 5).join('; '))
  for (const [selector, ratio] of await page.evaluate(contrasts)) {
    check(ratio >= 4.5, `${name}: ${selector} has contrast ${ratio}`)
  }
  await page.screenshot({ path: path.join(shots, `dashboard-${name}.png`), fullPage: true })
  await page.close()
}

async function gone (browser, base, seeder) {
  const { page } = await open(browser, base, {})

  await seeder.stop()
  await page.waitForSelector('#alert:not([hidden])', { timeout: 30000 })
  check((await page.textContent('#alert')).includes('does not answer'), 'the page says that the seeder is gone')
  await page.close()
}

async function main () {
  const a = drive('hello', 3000000)
  const b = drive(HOSTILE, 6000000)
  const one = new Seeder('one', ['--all', '--http', '127.0.0.1:0'])
  const base = 'http://' + (await one.event('http')).address
  const { address, key } = await one.event('listening')
  const two = new Seeder('two', [a, b, '--limit-down', '1MB', '--peer', address + ':' + key])
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update',
      '--disable-sync']
  })

  fs.mkdirSync(shots, { recursive: true })
  try {
    await two.event('peer-add')
    await plain(base, a)
    await moves(browser, base)
    for (const width of [375, 1280]) {
      await looks(browser, base, width, 'light')
      await looks(browser, base, width, 'dark')
    }
    await two.stop()
    await gone(browser, base, one)
  } finally {
    await browser.close()
    one.child.kill('SIGKILL')
    two.child.kill('SIGKILL')
    fs.rmSync(work, { recursive: true, force: true })
  }
}

main().catch((e) => check(false, e.stack)).then(() => {
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
})
