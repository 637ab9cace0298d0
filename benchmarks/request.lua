-- What wrk sends, for one endpoint. Arguments after "--": method, path, body, token, the highest id, a run's mark.
-- In path and body {id} stands for any id from 1 up, and {unique} for a text that no other request has.

local method, path, body, highest, mark
local headers, sent = {}, 0

function init(arguments)
   method, path, body = arguments[1], arguments[2], arguments[3]
   if arguments[4] ~= "" then headers["Authorization"] = "Bearer " .. arguments[4] end
   if body ~= "" then headers["Content-Type"] = "application/json" else body = nil end
   highest, mark = tonumber(arguments[5]), arguments[6]
   math.randomseed(#mark * 7919 + highest)
end

local function filled(text)
   text = text:gsub("{id}", math.random(highest))
   text = text:gsub("{unique}", mark .. "-" .. sent)
   return text
end

function request()
   sent = sent + 1
   return wrk.format(method, filled(path), headers, body and filled(body))
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "microseconds": %d, "failed": %d, "p50_ms": %.2f, "p99_ms": %.2f}\n',
      summary.requests, summary.duration,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
