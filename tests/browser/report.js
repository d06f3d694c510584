// report.js FILE: the report of sample_report in Chromium: it fits a phone
// and a desk, light and dark and on paper, and what is hostile in it stays
// text. Prints what is wrong, then "N passed, N failed".
'use strict'

const { pathToFileURL } = require('url')
const { chromium } = require('playwright-core')

const file = pathToFileURL(process.argv[2]).href
let passed = 0
let failed = 0

function check (ok, what) {
  if (ok) passed++
  else {
    failed++
    console.log('FAIL: ' + what)
  }
}

// What the names of sample_report.c must look like.
const dir = '/by-arch/linux-x64/'
const shown = [
  dir + "<script>document.title='owned'</script>.js",
  dir + "\"><img src=x onerror=document.title='owned'>",
  dir + '</code></li></ul></section></body><h1>owned</h1>',
  dir + '--></style><style>body{display:none}</style>',
  dir + 'invoice‹U+202E›fdp.exe',
  dir + 'zero‹U+200B›width‹U+FEFF›.so',
  dir + 'line‹U+000A›break‹U+0009›tab‹U+001B›[31mred',
  dir + '`rm -rf ~` | tee ``` *bold* [x](javascript:1)',
  dir + 'broken‹0xff›‹0xfe›utf8&amp;&lt;',
  dir + 'שלום-12/م.js',
  "/by-arch/<svg onload=document.title='owned'>&/app/lib/libudx.so"
]

const lines = [
  '+\tif (!allowed(to)) /* ‹U+202E› } ‹U+2066› admins only */ return',
  "+\tdocument.write('<script>document.title=\"owned\"</script>')‹U+000D›",
  '+\treturn send(to‹U+200B›, amount) // שלום ‹U+2039›U+202E›'
]

async function open (browser, options) {
  const page = await browser.newPage(options)
  const talk = []

  page.on('console', (m) => talk.push(m.text()))
  page.on('pageerror', (e) => talk.push(String(e)))
  page.on('dialog', (d) => { talk.push('dialog'); d.dismiss() })
  page.on('request', (r) => { if (r.url() !== file) talk.push(r.url()) })
  await page.goto(file)
  return { page, talk }
}

// -- what came of the strings ------------------------------------------------

async function strings (browser) {
  const { page, talk } = await open(browser, {})
  const seen = await page.evaluate(() => {
    const all = [...document.querySelectorAll('*')]
    const text = (s) =>
      [...document.querySelectorAll(s)].map((el) => el.textContent)

    return {
      title: document.title,
      paths: text('.path'),
      lines: text('.diff div'),
      h1: text('h1'),
      findings: text('#findings li'),
      facts: text('#facts dd'),
      links: text('.meta code'),
      archs: text('tbody th'),
      foreign: all.map((el) => el.localName).filter((n) =>
        ['script', 'img', 'iframe', 'object', 'embed', 'link', 'form',
          'input', 'i', 'base', 'video', 'audio'].includes(n)),
      handlers: all.flatMap((el) => el.getAttributeNames())
        .filter((n) => n.startsWith('on') || n === 'src' || n === 'style'),
      hrefs: [...document.querySelectorAll('[href]')]
        .map((el) => el.getAttribute('href')),
      dangling: [...document.querySelectorAll('[href]')]
        .filter((el) => !document.querySelector(el.getAttribute('href')))
        .length,
      ids: all.map((el) => el.id).filter((id) => id !== ''),
      styles: document.querySelectorAll('style').length,
      bodies: document.querySelectorAll('body').length,
      lang: document.documentElement.lang
    }
  })

  check(talk.length === 0, 'the page talks or loads: ' + talk)
  check(seen.title === 'hello 1.5.0 <b>for</b> production', seen.title)
  check(seen.h1.join() === seen.title, 'one heading: ' + seen.h1)
  for (const path of shown) check(seen.paths.includes(path), path)
  for (const line of lines) check(seen.lines.includes(line), line)
  check(new Set(seen.paths).size === seen.paths.length, 'a path twice')
  check(seen.findings[0].includes("<script>document.title='owned'</script>"),
    seen.findings[0])
  check(seen.findings[0].startsWith('✖ Bad') &&
    seen.findings[1].startsWith('▲ Look'), 'the worst comes first')
  check(seen.facts.includes('<i>value</i>‹U+202E›'), seen.facts.join(' | '))
  check(seen.links.includes('../../../../etc/<b>passwd</b>'), 'link target')
  check(seen.archs.includes("<svg onload=document.title='owned'>&"),
    seen.archs.join(' | '))
  check(seen.foreign.length === 0, 'elements: ' + seen.foreign)
  check(seen.handlers.length === 0, 'attributes: ' + seen.handlers)
  check(seen.hrefs.every((h) => /^#[a-z]+[0-9]*$/.test(h)),
    'links: ' + seen.hrefs)
  check(seen.dangling === 0, 'links that lead nowhere')
  check(new Set(seen.ids).size === seen.ids.length, 'an id twice')
  check(seen.styles === 1 && seen.bodies === 1, 'one style, one body')
  check(seen.lang === 'en', 'the language is said')
  await page.close()
}

// Letters of a right-to-left script stand where they are in the name.
async function direction (browser) {
  const { page } = await open(browser, {})
  const ordered = await page.evaluate(() => {
    const path = [...document.querySelectorAll('.path')]
      .find((el) => el.textContent.includes('-12/'))
    const walk = document.createTreeWalker(path, NodeFilter.SHOW_TEXT)
    const at = []

    while (walk.nextNode()) {
      for (let i = 0; i < walk.currentNode.length; i++) {
        const range = document.createRange()

        range.setStart(walk.currentNode, i)
        range.setEnd(walk.currentNode, i + 1)
        at.push(range.getBoundingClientRect().left)
      }
    }
    return at.length > 20 && at.every((x, i) => i === 0 || x >= at[i - 1])
  })

  check(ordered, 'a name with Hebrew in it is laid out in another order')
  await page.close()
}

// A policy stops what would get through: a script put there does nothing.
async function policy (browser) {
  const { page } = await open(browser, {})
  const csp = await page.getAttribute(
    'meta[http-equiv="Content-Security-Policy"]', 'content')

  check(csp.startsWith("default-src 'none';"), csp)
  await page.evaluate(() => {
    const el = document.createElement('div')

    el.innerHTML = '<img src="data:," onerror="document.title=\'owned\'">'
    document.body.append(el)
  })
  await page.waitForFunction(() => document.querySelector('img').complete)
  check(await page.title() !== 'owned', 'the policy lets a handler run')
  await page.close()
}

// -- what it looks like --------------------------------------------------------

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
      if (c[3] !== 0) throw new Error('half transparent')
    }
    return [255, 255, 255]
  }

  return ['h1', 'h2', 'h3', 'p', 'li > span:last-child', 'dt', 'dd',
    '.verdict', '.pill.good', '.pill.note', '.pill.warn', '.pill.bad', 'a',
    'thead th', 'tbody th', 'td', 'td small', '.path', '.meta', '.tag',
    '.plus', '.minus', '.x', '.a', '.d', '.h', '.e', '.diff div', 'footer p',
    '.a .x'
  ].map((selector) => {
    const el = document.querySelector(selector)
    const [a, b] = [light(parse(getComputedStyle(el).color)),
      light(behind(el))].sort((x, y) => y - x)

    return [selector, (a + 0.05) / (b + 0.05)]
  })
}

// Elements that stick out of the page, or of what cuts them off.
function sticking () {
  const out = []

  if (document.documentElement.scrollWidth > innerWidth) out.push('the page')
  for (const el of document.querySelectorAll('body *:not(svg *)')) {
    if (el.localName === 'caption') continue
    const r = el.getBoundingClientRect()

    if (r.right > innerWidth + 0.5 || r.left < -0.5 ||
        (el.scrollWidth > el.clientWidth + 1 && el.clientWidth > 0)) {
      out.push(el.localName + '.' + el.className + ' ' +
        el.textContent.slice(0, 40))
    }
  }
  return out
}

async function looks (browser, width, colorScheme) {
  const name = width + ' px, ' + colorScheme
  const { page } = await open(browser,
    { viewport: { width, height: 740 }, colorScheme })
  const out = await page.evaluate(sticking)

  check(out.length === 0, name + ': too wide: ' + out.slice(0, 5).join('; '))
  for (const [selector, ratio] of await page.evaluate(contrasts)) {
    check(ratio >= 4.5, `${name}: ${selector} has contrast ${ratio}`)
  }
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('body *')].filter((el) =>
      parseFloat(getComputedStyle(el).fontSize) < 11).length)

  check(small === 0, name + ': letters under 11 px')
  await page.close()
}

async function dark (browser) {
  const colors = []

  for (const colorScheme of ['light', 'dark']) {
    const { page } = await open(browser, { colorScheme })

    colors.push(await page.evaluate(() =>
      getComputedStyle(document.body).backgroundColor))
    await page.close()
  }
  check(colors[0] !== colors[1], 'dark is as light: ' + colors)
}

async function picture (browser) {
  const { page } = await open(browser, { viewport: { width: 360, height: 740 } })
  const bars = await page.evaluate(() =>
    [...document.querySelectorAll('svg rect')].slice(2).map((el) => ({
      after: el.classList.contains('w'),
      width: el.getBoundingClientRect().width
    })))
  const rows = await page.locator('tbody tr').count()
  const widest = Math.max(...bars.map((b) => b.width))

  check(bars.length === rows * 2, `${bars.length} bars of ${rows} rows`)
  check(bars.every((b) => b.width > 1), 'a bar that cannot be seen')
  check(widest > 280 && widest < 360, 'the widest bar has ' + widest)
  check((await page.getAttribute('svg', 'aria-label')).length > 20,
    'the picture has no words')
  await page.close()
}

async function folding (browser) {
  const { page } = await open(browser, {})
  const diffs = page.locator('.diff')
  const n = await diffs.count()

  check(n > 5, 'line diffs')
  check(await page.locator('details[open]').count() === n, 'all are open')
  await page.locator('summary').first().focus()
  await page.keyboard.press('Enter')
  check(!await diffs.first().isVisible(), 'a key folds the lines')
  check(await page.locator('details[open]').count() === n - 1, 'only those')
  await page.close()
}

async function paper (browser) {
  const { page } = await open(browser, { colorScheme: 'dark' })

  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  check(await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor) === 'rgb(255, 255, 255)',
  'paper is white')
  check(!await page.locator('nav').isVisible(), 'no links on paper')
  for (const [selector, ratio] of await page.evaluate(contrasts)) {
    check(ratio >= 4.5, `paper: ${selector} has contrast ${ratio}`)
  }
  const pdf = await page.pdf({ format: 'A4' })

  check(pdf.subarray(0, 5).toString() === '%PDF-', 'it can be printed')
  await page.close()
}

async function main () {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update',
      '--disable-sync']
  })

  try {
    await strings(browser)
    await direction(browser)
    await policy(browser)
    for (const width of [320, 360, 1280]) {
      await looks(browser, width, 'light')
      await looks(browser, width, 'dark')
    }
    await dark(browser)
    await picture(browser)
    await folding(browser)
    await paper(browser)
  } finally {
    await browser.close()
  }
}

main().catch((e) => check(false, e.stack)).then(() => {
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
})
