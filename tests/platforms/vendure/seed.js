// Makes the tables of a Vendure shop and fills its catalogue; the job queue puts the articles into their collections.
const path = require("path")
const { bootstrap, JobQueueService, TransactionalConnection } = require("@vendure/core")
const { populate } = require("@vendure/core/cli")
const { config } = require("./config")

async function start() {
  const app = await bootstrap(config)
  await app.get(JobQueueService).start()
  return app
}

async function untilFiled(app) {
  const connection = app.get(TransactionalConnection).rawConnection
  for (let tries = 0; tries < 240; tries++) {
    const [{ count }] = await connection.query("select count(*) from collection_product_variants_product_variant")
    const [{ open }] = await connection.query("select count(*) as open from job_record where state in ('PENDING', 'RUNNING')")
    if (+count > 0 && +open === 0) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error("the job queue filed no article in a collection within a minute")
}

populate(start, require("./initial-data.json"), path.join(__dirname, "products.csv"))
  .then(async (app) => {
    await untilFiled(app)
    await app.close()
    process.exit(0)
  })
  .catch((error) => {
    console.error(error)
    process.exit(1)
  })
