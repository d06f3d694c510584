// A JavaScript seeder, we download. The variables are those of
// net-ours-to-js.js.
'use strict'
const path = require('path')
const { main } = require('./common')
const { JsSide, OurSide } = require('./net-sides')
const { runCases, halves } = require('./net-cases')

const Follower = process.env.NET_CONTROL ? JsSide : OurSide

main(async (work) => {
  await runCases(JsSide, Follower, work)
  if (!process.env.CASES) await halves(Follower, path.join(work, 'halves'))
})
