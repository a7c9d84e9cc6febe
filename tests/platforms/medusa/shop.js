// A Medusa shop, used through its HTTP API: `shop.js place URL`, some weeks later `shop.js later URL`, and `shop.js totals URL`.
// Medusa counts for itself: `totals` prints what its admin API says about every order, as JSON.
const fs = require("fs")
const [, , step, base] = process.argv
const seeded = JSON.parse(fs.readFileSync("seeded.json"))
const PASSWORD = "pw12345678"

async function call(method, path, body, token) {
  const headers = { "content-type": "application/json", "x-publishable-api-key": seeded.key }
  if (token) headers.authorization = `Bearer ${token}`
  const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} ${response.status} ${text}`)
  return JSON.parse(text)
}
const post = (path, body, token) => call("POST", path, body ?? {}, token)

async function login(actor, email) {
  return (await post(`/auth/${actor}/emailpass`, { email, password: PASSWORD })).token
}

async function register(name) {
  const email = `${name}@example.com`
  const { token } = await post("/auth/customer/emailpass/register", { email, password: PASSWORD })
  const { customer } = await post("/store/customers", { email, first_name: name }, token)
  return { id: customer.id, email, token: await login("customer", email) }
}

// What a storefront does: a cart, an address, a shipping method, a payment, and an order made of it.
async function order({ who, email, items, currency = "eur", country = "se", codes }) {
  const token = who?.token
  const address = { first_name: "A", last_name: "B", address_1: "Street 1", city: "X", country_code: country, postal_code: "21122" }
  const { cart } = await post(
    "/store/carts",
    { region_id: seeded.regions[currency], email: email ?? who.email, shipping_address: address },
    token,
  )
  for (const [sku, quantity] of items)
    await post(`/store/carts/${cart.id}/line-items`, { variant_id: seeded.variants[sku], quantity }, token)
  if (codes) await post(`/store/carts/${cart.id}/promotions`, { promo_codes: codes }, token)
  await post(`/store/carts/${cart.id}/shipping-methods`, { option_id: seeded.shipping }, token)
  const { payment_collection: payments } = await post("/store/payment-collections", { cart_id: cart.id }, token)
  await post(`/store/payment-collections/${payments.id}/payment-sessions`, { provider_id: "pp_system_default" }, token)
  const done = await post(`/store/carts/${cart.id}/complete`, {}, token)
  if (done.type !== "order") throw new Error(JSON.stringify(done))
  return done.order
}

class Admin {
  static async login() {
    const admin = new Admin()
    admin.token = await login("user", "admin@example.com")
    return admin
  }

  get = (path) => call("GET", path, undefined, this.token)
  post = (path, body) => post(path, body, this.token)
  delete = (path) => call("DELETE", path, undefined, this.token)

  async order(id) {
    return (await this.get(`/admin/orders/${id}?fields=*items,*items.detail,*payment_collections.payments`)).order
  }

  // Paid and sent out in whole.
  async fulfil(id) {
    const order = await this.order(id)
    await this.post(`/admin/payments/${order.payment_collections[0].payments[0].id}/capture`)
    const items = order.items.map((item) => ({ id: item.id, quantity: item.quantity }))
    await this.post(`/admin/orders/${id}/fulfillments`, { items, location_id: seeded.location })
  }

  async sendBack(id, sku, quantity) {
    const item = (await this.order(id)).items.find((one) => one.variant_sku === sku)
    const { return: back } = await this.post("/admin/returns", { order_id: id, location_id: seeded.location })
    await this.post(`/admin/returns/${back.id}/request-items`, { items: [{ id: item.id, quantity }] })
    await this.post(`/admin/returns/${back.id}/request`)
    await this.receive(back.id, item.id, quantity)
  }

  async receive(id, item, quantity) {
    await this.post(`/admin/returns/${id}/receive`)
    await this.post(`/admin/returns/${id}/receive-items`, { items: [{ id: item, quantity }] })
    await this.post(`/admin/returns/${id}/receive/confirm`)
  }

  async exchange(id, sku, otherSku) {
    const item = (await this.order(id)).items.find((one) => one.variant_sku === sku)
    const { exchange } = await this.post("/admin/exchanges", { order_id: id })
    const inbound = { items: [{ id: item.id, quantity: 1 }], location_id: seeded.location }
    await this.post(`/admin/exchanges/${exchange.id}/inbound/items`, inbound)
    const outbound = { items: [{ variant_id: seeded.variants[otherSku], quantity: 1 }] }
    await this.post(`/admin/exchanges/${exchange.id}/outbound/items`, outbound)
    const done = await this.post(`/admin/exchanges/${exchange.id}/request`)
    await this.receive(done.return.id, item.id, 1)
  }

  // More of one thing, none of another, and a third one.
  async edit(id, more, none, added) {
    const { items } = await this.order(id)
    const line = (sku) => items.find((item) => item.variant_sku === sku).id
    await this.post("/admin/order-edits", { order_id: id })
    await this.post(`/admin/order-edits/${id}/items/item/${line(more)}`, { quantity: 3 })
    await this.post(`/admin/order-edits/${id}/items/item/${line(none)}`, { quantity: 0 })
    await this.post(`/admin/order-edits/${id}/items`, { items: [{ variant_id: seeded.variants[added], quantity: 1 }] })
    await this.post(`/admin/order-edits/${id}/request`)
    await this.post(`/admin/order-edits/${id}/confirm`)
  }
}

async function place() {
  const admin = await Admin.login()
  const anna = await register("anna")
  const bo = await register("bo")
  await order({ who: anna, items: [["TEE-S-BLACK", 3], ["MUG", 1]] })
  await order({ who: anna, items: [["CHINOS-M", 1], ["TEE-M-WHITE", 3]], codes: ["TEN"] })
  await order({ who: bo, items: [["TEE-S-BLACK", 2], ["VASE", 1]], currency: "usd", country: "us" })
  await order({ email: "Guest@example.com", items: [["MUG", 2]] })
  const vase = await order({ email: "guest@example.com", items: [["VASE", 1]] })
  await order({ email: "anna@example.com", items: [["MUG", 1]] })
  await order({ email: "Carl@example.com", items: [["TEE-M-WHITE", 1]] })
  const cancelled = await order({ who: bo, items: [["CHINOS-M", 2]] })
  await admin.post(`/admin/orders/${cancelled.id}/cancel`)
  const returned = await order({ who: bo, items: [["CHINOS-M", 2], ["TEE-S-BLACK", 1]] })
  await admin.fulfil(returned.id)
  await admin.sendBack(returned.id, "CHINOS-M", 1)
  const edited = await order({ who: bo, items: [["TEE-M-WHITE", 1], ["MUG", 1]] })
  await admin.edit(edited.id, "MUG", "TEE-M-WHITE", "CHINOS-M")
  const exchanged = await order({ email: "dora@example.com", items: [["TEE-S-BLACK", 2]], country: "de" })
  await admin.fulfil(exchanged.id)
  await admin.exchange(exchanged.id, "TEE-S-BLACK", "CHINOS-M")
  const late = await order({ who: anna, items: [["MUG", 5], ["TEE-M-WHITE", 2]] })
  await admin.fulfil(late.id)
  const lateCancel = await order({ who: bo, items: [["MUG", 4]] })

  const draft = { email: "draft@example.com", region_id: seeded.regions.eur, sales_channel_id: seeded.channel }
  await admin.post("/admin/draft-orders", { ...draft, items: [{ variant_id: seeded.variants.MUG, quantity: 5 }] })
  const open = { region_id: seeded.regions.eur, email: "open@example.com" }
  await post("/store/carts", { ...open, items: [{ variant_id: seeded.variants.MUG, quantity: 7 }] })
  const left = await register("left")
  await order({ who: left, items: [["TEE-S-BLACK", 1]] })
  await admin.delete(`/admin/customers/${left.id}`)
  for (const { id, items } of (await admin.get("/admin/orders?fields=id,*items&limit=100")).orders)
    if (items.some((item) => item.variant_sku === "VASE")) await admin.fulfil(id) // else the product has reservations
  await admin.delete(`/admin/products/${seeded.products.vase}`)
  fs.writeFileSync("placed.json", JSON.stringify({ late: late.id, lateCancel: lateCancel.id, vase: vase.id }))
}

// Carl makes an account, and two old orders change.
async function later() {
  const admin = await Admin.login()
  const placed = JSON.parse(fs.readFileSync("placed.json"))
  const carl = await register("carl")
  await order({ who: carl, items: [["MUG", 1]] })
  await admin.sendBack(placed.late, "MUG", 2)
  await admin.post(`/admin/orders/${placed.lateCancel}/cancel`)
}

async function totals() {
  const admin = await Admin.login()
  const fields = "id,currency_code,status,item_total,item_tax_total,*items,*items.detail"
  const { orders } = await admin.get(`/admin/orders?fields=${fields}&limit=100`)
  const sum = (items, value) => items.reduce((total, item) => total + Number(value(item)), 0)
  // The value is of what was kept, but for a cancelled order, which keeps its own.
  const rows = orders.map((order) => {
    const cancelled = order.status === "canceled"
    const returned = sum(order.items, ({ quantity, detail }) => (cancelled ? quantity : detail.return_received_quantity))
    const value = (order.item_total - order.item_tax_total).toFixed(2)
    return {
      id: order.id,
      currency: order.currency_code.toUpperCase(),
      net: cancelled || !returned ? value : null,
      kept: cancelled ? null : value,
      lines: order.items.filter((item) => item.quantity > 0).length,
      units: sum(order.items, (item) => item.quantity),
      cancelled,
      returned,
    }
  })
  console.log(JSON.stringify(rows))
}

const steps = { place, later, totals }
steps[step]().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
