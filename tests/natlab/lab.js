// lab.js: two hosts, each behind a router of its own, and the network between
// them with six nodes of a DHT: three of ours, three of JavaScript.
//
//	host a - router a ~~ net - far ~~ router b - host b
//
// ~~ is a line of tests/tunlab with DELAY ms each way. Everything is in
// namespaces that live as long as this process, and reaches nothing else.
//
//	const lab = await open(build, delay)	// null: cannot be had here
//	await lab.side('a', 'symmetric')	// the NAT of that router
//	lab.run('a', program, args, options)	// on that host
//	await lab.forget()			// no NAT remembers anything
//	await lab.close()
//
// The addresses are public ones of the world outside, because both stacks
// leave out those that are kept for documentation and tests.
'use strict'
const { spawn, spawnSync } = require('child_process')
const { once } = require('events')
const readline = require('readline')
const path = require('path')
const tunlab = require('../tunlab/tunlab')

const SIDES = {
  a: { router: '60.1.0.2', gate: '60.1.0.1', open: '60.3.0', closed: '10.1.0' },
  b: { router: '60.2.0.2', gate: '60.2.0.1', open: '60.4.0', closed: '10.2.0' }
}
const NODES = ['60.10.0.1', '60.10.0.2', '60.10.0.3', '60.10.0.4', '60.10.0.5', '60.10.0.6']
const PORT = 49737
exports.NODES = NODES
exports.BOOTSTRAP = NODES.slice(0, 3).map((host) => host + ':' + PORT)

// What a router does with UDP. A packet nobody asked for must be dropped on
// input: else it makes an entry of its own, which takes the port away from
// the mapping that should get it.
const chain = (name, hook, rules) => `chain ${name} { type ${hook};\n${rules.join('\n')}\n}\n`
const OUT = 'oifname "tun0" '
const IN = 'iifname "tun0" meta l4proto udp '
const drop = chain('in', 'filter hook input priority 0', [IN + 'drop'])
const post = (...rules) => chain('post', 'nat hook postrouting priority 100', rules)
const pre = (rule) => chain('pre', 'nat hook prerouting priority -100', [IN + rule])
const KEPT = 'flags dynamic,timeout; timeout 5m;'
// who a port of the router belongs to, whatever it was used for first
const cone = `map where { type inet_service : ipv4_addr . inet_service; ${KEPT} }\n` +
  post(OUT + 'meta l4proto udp update @where { udp sport : ip saddr . udp sport }', OUT + 'masquerade')
const TO_OWNER = 'dnat ip to udp dport map @where'
// only answers
const strict = chain('through', 'filter hook forward priority 0; policy drop', [
  'iifname "lan" accept', 'ct state established,related accept'])

exports.KINDS = {
  open: '',
  'full cone': drop + cone + pre(TO_OWNER),
  'address-restricted': drop + cone + pre('udp dport . ip saddr @seen ' + TO_OWNER) +
    `set seen { type inet_service . ipv4_addr; ${KEPT} }\n` +
    chain('note', 'filter hook forward priority -10', [
      'iifname "lan" meta l4proto udp update @seen { udp sport . ip daddr }']),
  'port-restricted': drop + strict + post(OUT + 'masquerade'),
  symmetric: drop + strict + post(OUT + 'masquerade fully-random')
}

exports.missing = function () {
  if (process.getuid() !== 0) return 'needs root'
  for (const [tool, arg] of [['nft', '-v'], ['ip', '-V'], ['conntrack', '-V'], ['unshare', '-V']]) {
    if (spawnSync(tool, [arg]).status !== 0) return tool + ' is not there'
  }
  return null
}

// sh in the namespace of a process; throws what it said.
function sh (pid, script) {
  const p = spawnSync('nsenter', ['-t', String(pid), '-n', 'sh', '-e'], {
    input: script, encoding: 'utf8'
  })
  if (p.status !== 0) throw new Error(p.stderr + '\nof: ' + script)
}

// However this process ends, its networks end with it.
const started = new Set()
process.on('exit', () => {
  for (const p of started) p.kill()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

class Lab {
  constructor (build) {
    this.build = build
    this.children = []
    this.lines = {}
    this.pid = {}
  }

  // A namespace that is there until our end of the pipe is closed.
  async namespace (name) {
    const p = spawn('unshare', ['-n', 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.keep(p)
    const [word] = await Promise.race([once(p.stdout, 'data'), once(p, 'close')])
    this.pid[name] = p.pid
    return word !== 1
  }

  async open (delay) {
    for (const s of ['a', 'b']) {
      if (!await this.namespace(s)) return false
      const line = await tunlab.open(path.join(this.build, 'tools', 'tunlab'), { delay })
      if (!line) return false
      this.lines[s] = line
      this.pid['router ' + s] = line.enter('a', '', [])[1][1]
      this.pid['far ' + s] = line.enter('b', '', [])[1][1]
    }
    this.cable()
    await this.populate()
    return true
  }

  cable () {
    for (const s of ['a', 'b']) {
      const { router, gate, open } = SIDES[s]
      sh(this.pid['router ' + s], `
        ip addr flush dev tun0; ip addr add ${router}/24 dev tun0
        ip route add default via ${gate}
        ip link add lan type veth peer name eth0 netns ${this.pid[s]}
        ip addr add ${SIDES[s].closed}.1/24 dev lan; ip addr add ${open}.1/24 dev lan
        ip link set lan up; echo 1 >/proc/sys/net/ipv4/ip_forward`)
      // the way is longer than what a packet that is meant for the own NAT
      // alone may go
      sh(this.pid['far ' + s], `
        ip addr flush dev tun0; ip addr add ${gate}/24 dev tun0
        ip route add ${open}.0/24 via ${router}
        echo 1 >/proc/sys/net/ipv4/ip_forward
        nft 'table ip way { chain long { type filter hook forward priority 0; ip ttl < 32 drop; }; }'`)
      sh(this.pid[s], 'ip link set lo up')
    }
    sh(this.pid['far a'], `
      ip link add mid type veth peer name mid netns ${this.pid['far b']}
      ip addr add 60.9.0.1/24 dev mid; ip link set mid up
      ip route add 60.2.0.0/24 via 60.9.0.2; ip route add 60.4.0.0/24 via 60.9.0.2
      ${NODES.map((n) => 'ip addr add ' + n + '/32 dev lo').join('\n')}`)
    sh(this.pid['far b'], `
      ip addr add 60.9.0.2/24 dev mid; ip link set mid up
      ip route add default via 60.9.0.1`)
  }

  keep (p) {
    this.children.push(p)
    started.add(p)
    p.on('exit', () => started.delete(p))
  }

  // The command of which the process is, then, the program.
  enter (where, program, args) {
    return ['nsenter', ['-t', String(this.pid[where]), '-n', program, ...args]]
  }

  run (where, program, args, options) {
    const p = spawn(...this.enter(where, program, args), options)
    this.keep(p)
    return p
  }

  async node (program, args, ready) {
    const p = this.run('far a', program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    for await (const line of readline.createInterface({ input: p.stdout })) {
      if (!line.includes(ready)) continue
      p.stdout.resume()
      return
    }
    throw new Error('no node: ' + [program, ...args].join(' '))
  }

  async populate () {
    const ours = path.join(this.build, 'bin', 'pear-dht')
    const first = NODES[0] + ':' + PORT
    const common = ['--json', '--port', String(PORT), '--host']
    await this.node(ours, [...common, NODES[0], '--bootstrap'], '"listening"')
    await Promise.all(NODES.slice(1, 3).map((n) =>
      this.node(ours, [...common, n, '--node', first], '"persistent"')))
    await Promise.all(NODES.slice(3).map((n) =>
      this.node(process.execPath, [path.join(__dirname, 'js_node.js'), n, String(PORT), first], 'ready')))
  }

  side (s, kind) {
    const net = kind === 'open' ? SIDES[s].open : SIDES[s].closed
    const rules = exports.KINDS[kind]
    sh(this.pid['router ' + s], `
      nft flush ruleset
      ${rules ? `nft -f - <<'END'\ntable ip nat {\n${rules}\n}\nEND` : ''}`)
    sh(this.pid[s], `
      ip addr flush dev eth0; ip addr add ${net}.2/24 dev eth0
      ip link set eth0 up; ip route replace default via ${net}.1`)
    this.kind = { ...this.kind, [s]: kind }
    this.forget()
  }

  forget () {
    for (const s of ['a', 'b']) {
      if (!this.kind || !this.kind[s]) continue
      const sets = { 'full cone': ['map ip nat where'], 'address-restricted': ['map ip nat where', 'set ip nat seen'] }
      const flush = (sets[this.kind[s]] || []).map((x) => 'nft flush ' + x).join('\n')
      sh(this.pid['router ' + s], flush + '\nconntrack -F 2>/dev/null')
    }
  }

  async close () {
    for (const p of this.children) {
      if (p.stdin) p.stdin.end()
      p.kill()
    }
    for (const line of Object.values(this.lines)) await line.close()
  }
}

exports.open = async function (build, delay) {
  const lab = new Lab(build)
  if (await lab.open(delay)) return lab
  await lab.close()
  return null
}
