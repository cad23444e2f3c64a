-- wrk script: posts one fixed body on keep-alive connections, prints one line of JSON at the end.
-- Environment: BODY_FILE (the request's body), BENCH_KEY (bearer token), UNIQUE (a number: each
-- request has it and one of its own in the place of fifteen zeros).
local file = assert(io.open(assert(os.getenv("BODY_FILE"), "set BODY_FILE"), "rb"))
local body = file:read("*a")
file:close()

local headers = {
  ["Content-Type"] = "application/json",
  ["Authorization"] = "Bearer " .. (os.getenv("BENCH_KEY") or ""),
}

local bytes
local unique = os.getenv("UNIQUE")
local front, back = string.match(body, "^(.-)000000000000000(.*)$")
local count = 0
function init() bytes = wrk.format("POST", nil, headers, body) end
function request()
  if not unique then return bytes end
  count = count + 1
  return wrk.format("POST", nil, headers, string.format("%s%06d%09d%s", front, unique, count, back))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"mean_us":%.2f,"not_2xx":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    latency.mean, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
