// A Vendure shop on the PostgreSQL of DATABASE_URL, answering on 127.0.0.1:PORT; SYNCHRONIZE makes the tables.
const { DefaultJobQueuePlugin, DefaultLogger, LogLevel, dummyPaymentHandler } = require("@vendure/core")
const path = require("path")

const database = new URL(process.env.DATABASE_URL)

exports.config = {
  apiOptions: { hostname: "127.0.0.1", port: +process.env.PORT, adminApiPath: "admin-api", shopApiPath: "shop-api" },
  authOptions: {
    tokenMethod: ["bearer"],
    requireVerification: false,
    superadminCredentials: { identifier: "superadmin", password: "pw12345678" },
    cookieOptions: { secret: "not-a-secret" },
  },
  dbConnectionOptions: {
    type: "postgres",
    host: database.hostname,
    port: +database.port,
    username: database.username,
    password: decodeURIComponent(database.password),
    database: database.pathname.slice(1),
    synchronize: !!process.env.SYNCHRONIZE,
    logging: false,
  },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  importExportOptions: { importAssetsDir: path.join(__dirname, "images") },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  customFields: {},
  plugins: [DefaultJobQueuePlugin.init({ pollInterval: 200 })],
}
