// A Vendure shop, used through its GraphQL APIs: `shop.js place URL`, some weeks later `shop.js later URL`, and `shop.js totals URL`.
// Vendure counts for itself: `totals` prints what its admin API says about every order, as JSON. Of an order that was cancelled or
// changed it says only what is left, so that the value of each is also noted when it is placed.
const fs = require("fs")
const [, , step, base] = process.argv
const PASSWORD = "pw12345678"
const FAILED = "... on ErrorResult { errorCode message }"

class Client {
  constructor(api, query = "") {
    this.url = `${base}/${api}${query}`
  }

  async send(query, variables) {
    const headers = { "content-type": "application/json" }
    if (this.token) headers.authorization = `Bearer ${this.token}`
    const response = await fetch(this.url, { method: "POST", headers, body: JSON.stringify({ query, variables }) })
    this.token = response.headers.get("vendure-auth-token") || this.token
    const { data, errors } = await response.json()
    if (errors) throw new Error(JSON.stringify(errors) + query)
    const [found] = Object.values(data)
    if (found?.errorCode) throw new Error(JSON.stringify(found) + query)
    return found
  }

  // A mutation with one argument `input`, of which only whether it worked is of interest.
  change(name, type, input, fields = "id") {
    return this.send(`mutation($input: ${type}!) { ${name}(input: $input) { ... on ${TYPES[name]} { ${fields} } ${FAILED} } }`, { input })
  }
}
const TYPES = {
  addPaymentToOrder: "Order",
  addFulfillmentToOrder: "Fulfillment",
  refundOrder: "Refund",
  settleRefund: "Refund",
  cancelOrder: "Order",
  modifyOrder: "Order",
  setOrderShippingAddress: "Order",
  setCustomerForOrder: "Order",
  createPromotion: "Promotion",
}

async function loggedIn(api, username, query) {
  const client = new Client(api, query)
  await client.send(`mutation($u: String!, $p: String!) { login(username: $u, password: $p) { ... on CurrentUser { id } ${FAILED} } }`, {
    u: username,
    p: PASSWORD,
  })
  return client
}

class Admin {
  static async login() {
    const admin = new Admin()
    admin.api = await loggedIn("admin-api", "superadmin")
    const { items } = await admin.api.send("{ productVariants(options: { take: 100 }) { items { id sku product { id } } } }")
    admin.variants = Object.fromEntries(items.map((variant) => [variant.sku, variant]))
    return admin
  }

  order(id) {
    return this.api.send(`{ order(id: "${id}") { id payments { id } lines { id quantity productVariant { sku } } } }`)
  }

  async line(id, sku) {
    return (await this.order(id)).lines.find((line) => line.productVariant.sku === sku).id
  }

  async fulfil(id) {
    const lines = (await this.order(id)).lines.map((line) => ({ orderLineId: line.id, quantity: line.quantity }))
    const handler = {
      code: "manual-fulfillment",
      arguments: [
        { name: "method", value: "post" },
        { name: "trackingCode", value: "1" },
      ],
    }
    const sent = await this.api.change("addFulfillmentToOrder", "FulfillOrderInput", { lines, handler })
    for (const state of ["Shipped", "Delivered"])
      await this.api.send(`mutation { transitionFulfillmentToState(id: "${sent.id}", state: "${state}") { ... on Fulfillment { id } ${FAILED} } }`)
  }

  // What a shop does with what comes back: it cancels the units of the line, and pays them back.
  async sendBack(id, sku, quantity) {
    const lines = [{ orderLineId: await this.line(id, sku), quantity }]
    const { payments } = await this.order(id)
    const money = { lines, shipping: 0, adjustment: 0, paymentId: payments[0].id, reason: "sent back" }
    const refund = await this.api.change("refundOrder", "RefundOrderInput", money, "id state")
    if (refund.state === "Pending") await this.api.change("settleRefund", "SettleRefundInput", { id: refund.id, transactionId: "1" })
    await this.api.change("cancelOrder", "CancelOrderInput", { orderId: id, lines, reason: "sent back" })
  }

  cancel(id) {
    return this.api.change("cancelOrder", "CancelOrderInput", { orderId: id, reason: "no", cancelShipping: true })
  }

  // None of one thing, more of another, and a third one.
  async edit(id, none, more, added) {
    const state = "Modifying"
    await this.api.send(
      `mutation { transitionOrderToState(id: "${id}", state: "${state}") { ... on Order { id } ... on OrderStateTransitionError { errorCode message } } }`,
    )
    const { payments } = await this.order(id)
    await this.api.change("modifyOrder", "ModifyOrderInput", {
      dryRun: false,
      orderId: id,
      adjustOrderLines: [
        { orderLineId: await this.line(id, none), quantity: 0 },
        { orderLineId: await this.line(id, more), quantity: 3 },
      ],
      addItems: [{ productVariantId: this.variants[added].id, quantity: 1 }],
      refund: { paymentId: payments[0].id, reason: "less" },
    })
  }

  customer(name) {
    const input = `{ firstName: "${name}", lastName: "X", emailAddress: "${name}@example.com" }`
    return this.api.send(`mutation { createCustomer(input: ${input}, password: "${PASSWORD}") { ... on Customer { id } ${FAILED} } }`)
  }
}

// What a storefront does: a cart, an address, a shipping method, a payment, and an order made of it.
async function order(admin, { who, email, items, currency, coupon }) {
  const query = currency ? `?currencyCode=${currency}` : ""
  const shop = who ? await loggedIn("shop-api", `${who}@example.com`, query) : new Client("shop-api", query)
  for (const [sku, quantity] of items)
    await shop.send(`mutation($v: ID!, $n: Int!) { addItemToOrder(productVariantId: $v, quantity: $n) { ... on Order { id } ${FAILED} } }`, {
      v: admin.variants[sku].id,
      n: quantity,
    })
  if (coupon) await shop.send(`mutation { applyCouponCode(couponCode: "${coupon}") { ... on Order { id } ${FAILED} } }`)
  const address = { fullName: "A B", streetLine1: "Street 1", city: "X", postalCode: "21122", countryCode: "SE" }
  await shop.change("setOrderShippingAddress", "CreateAddressInput", address)
  const [method] = await shop.send("{ eligibleShippingMethods { id } }")
  await shop.send(`mutation { setOrderShippingMethod(shippingMethodId: ["${method.id}"]) { ... on Order { id } ${FAILED} } }`)
  if (email) await shop.change("setCustomerForOrder", "CreateCustomerInput", { firstName: "G", lastName: "H", emailAddress: email })
  await shop.send(
    'mutation { transitionOrderToState(state: "ArrangingPayment") { ... on Order { id } ... on OrderStateTransitionError { errorCode message } } }',
  )
  const paid = await shop.change("addPaymentToOrder", "PaymentInput", { method: "standard-payment", metadata: {} }, "id subTotal totalQuantity")
  note(paid.id, paid)
  return paid.id
}

// What a guest does who makes an account afterwards.
function register(email) {
  const input = `{ emailAddress: "${email}", password: "${PASSWORD}" }`
  const shop = new Client("shop-api")
  return shop.send(`mutation { registerCustomerAccount(input: ${input}) { ... on Success { success } ${FAILED} } }`)
}

function note(id, value) {
  const noted = fs.existsSync("placed.json") ? JSON.parse(fs.readFileSync("placed.json")) : {}
  fs.writeFileSync("placed.json", JSON.stringify({ ...noted, [id]: value }))
}

async function prepare(admin) {
  const channel = await admin.api.send("{ activeChannel { id } }")
  await admin.api.send(
    `mutation { updateChannel(input: { id: "${channel.id}", availableCurrencyCodes: [USD, EUR] }) { ... on Channel { id } ... on LanguageNotAvailableError { errorCode } } }`,
  )
  const prices = "prices: [{ currencyCode: USD, price: 1899 }, { currencyCode: EUR, price: 1700 }]"
  await admin.api.send(`mutation { updateProductVariants(input: [{ id: "${admin.variants.MOUSE.id}", ${prices} }]) { id } }`)
  const args = (values) => Object.entries(values).map(([name, value]) => ({ name, value }))
  const cups = { discount: "50", productVariantIds: JSON.stringify([admin.variants.CUP.id]) }
  for (const [name, more, code, values] of [
    ["TEN", { couponCode: "TEN" }, "order_percentage_discount", { discount: "10" }],
    ["HALF", { couponCode: "HALF" }, "products_percentage_discount", cups],
    ["Cup days", { startsAt: "2099-01-01T00:00:00Z", endsAt: "2099-01-03T00:00:00Z" }, "products_percentage_discount", cups],
  ])
    await admin.api.change("createPromotion", "CreatePromotionInput", {
      enabled: true,
      ...more,
      conditions: more.couponCode ? [] : [{ code: "minimum_order_amount", arguments: args({ amount: "0", taxInclusive: "false" }) }],
      actions: [{ code, arguments: args(values) }],
      translations: [{ languageCode: "en", name }],
    })
}

async function place() {
  const admin = await Admin.login()
  await prepare(admin)
  for (const name of ["anna", "bo"]) await admin.customer(name)
  await order(admin, { who: "anna", items: [["MOUSE", 3], ["CUP", 1]] })
  await order(admin, { who: "anna", items: [["LAPTOP-13", 1], ["MOUSE", 3]], coupon: "TEN" })
  await order(admin, { who: "anna", items: [["CUP", 3]], coupon: "HALF" })
  await order(admin, { who: "bo", items: [["MOUSE", 2]], currency: "EUR" })
  await order(admin, { email: "Guest@example.com", items: [["CUP", 2]] })
  await order(admin, { email: "guest@example.com", items: [["BONSAI", 1]] })
  await order(admin, { email: "carl@example.com", items: [["CUP", 1]] })
  await admin.cancel(await order(admin, { who: "bo", items: [["LAPTOP-15", 2]] }))
  const returned = await order(admin, { who: "bo", items: [["LAPTOP-15", 2], ["MOUSE", 3]], coupon: "TEN" })
  await admin.fulfil(returned)
  await admin.sendBack(returned, "LAPTOP-15", 1)
  await admin.edit(await order(admin, { who: "bo", items: [["MOUSE", 1], ["CUP", 1]] }), "MOUSE", "CUP", "LAPTOP-13")
  const late = await order(admin, { who: "anna", items: [["CUP", 5], ["MOUSE", 2]] })
  await admin.fulfil(late)
  note("late", late)
  note("lateCancel", await order(admin, { who: "bo", items: [["CUP", 4]] }))

  const cart = await loggedIn("shop-api", "anna@example.com")
  await cart.send(`mutation { addItemToOrder(productVariantId: "${admin.variants.CUP.id}", quantity: 7) { ... on Order { id } ${FAILED} } }`)
  const draft = await admin.api.send("mutation { createDraftOrder { id } }")
  const five = `{ productVariantId: "${admin.variants.CUP.id}", quantity: 5 }`
  await admin.api.send(`mutation { addItemToDraftOrder(orderId: "${draft.id}", input: ${five}) { ... on Order { id } ${FAILED} } }`)
  const left = await admin.customer("left")
  await order(admin, { who: "left", items: [["MOUSE", 1]] })
  await admin.api.send(`mutation { deleteCustomer(id: "${left.id}") { result message } }`)
  await admin.api.send(`mutation { deleteProduct(id: "${admin.variants.BONSAI.product.id}") { result message } }`)
}

// Carl makes an account, and two old orders change.
async function later() {
  const admin = await Admin.login()
  const { late, lateCancel } = JSON.parse(fs.readFileSync("placed.json"))
  await register("carl@example.com")
  await order(admin, { who: "carl", items: [["CUP", 1]] })
  await admin.sendBack(late, "CUP", 2)
  await admin.cancel(lateCancel)
}

async function totals() {
  const admin = await Admin.login()
  const placed = JSON.parse(fs.readFileSync("placed.json"))
  const fields = "id state currencyCode orderPlacedAt subTotal lines { quantity orderPlacedQuantity }"
  const { items } = await admin.api.send(`{ orders(options: { take: 100 }) { items { ${fields} } } }`)
  const rows = items
    .filter((order) => order.orderPlacedAt)
    .map((order) => {
      const sum = (value) => order.lines.reduce((total, line) => total + value(line), 0)
      const cancelled = order.state === "Cancelled"
      const units = sum((line) => Math.max(line.quantity, line.orderPlacedQuantity))
      return {
        id: order.id,
        currency: order.currencyCode,
        net: placed[order.id].totalQuantity === units ? (placed[order.id].subTotal / 100).toFixed(2) : null,
        kept: cancelled ? null : (order.subTotal / 100).toFixed(2),
        lines: order.lines.length,
        units,
        cancelled,
        returned: sum((line) => Math.max(line.quantity, line.orderPlacedQuantity) - (cancelled ? 0 : line.quantity)),
      }
    })
  console.log(JSON.stringify(rows))
}

const steps = { place, later, totals }
steps[step]().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
