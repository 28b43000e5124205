package quota

import "github.com/ringwall/ringwall/internal/valkey"

// takeScript takes from all counters or from none. The clock is the server's. A counter
// is a hash of its slots, of the calendar with one, n; p is until when somebody has less
// than they want. All keys expire.
//
// KEYS: epoch, lease, counters. ARGV: the epoch that the caller knows, one for a server
// that has none, how long the lease lives, want, least, whether what is fixed is taken,
// slots; then of each counter: width of a slot (0: calendar), start in seconds, end in
// milliseconds, most, fixed, unit, what is used at least, as far as the caller knows (-1: it
// says nothing), and what it granted by itself while the server was away.
var takeScript = valkey.NewScript(`
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = redis.call("GET", KEYS[1])
if not epoch then
  epoch = ARGV[2]
  redis.call("SET", KEYS[1], epoch, "PX", 3456000000)
end
if epoch ~= ARGV[1] then return {"epoch", now, epoch} end
local want, least, fixedToo, slots = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local granted, worst, after, never = want, 0, -1, 0
local n = #KEYS - 2
local at, used, part = {}, {}, {}
for i = 1, n do
  local key, a = KEYS[i + 2], 7 + (i - 1) * 8
  local width, starts, ends = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  if fixedToo == 1 and width == 0 and (now < starts * 1000 or now >= ends) then return {"clock", now} end
end
for i = 1, n do
  local key, a = KEYS[i + 2], 7 + (i - 1) * 8
  local width, ends, most = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local fixed, unit, floor = tonumber(ARGV[a + 5]) * fixedToo, tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7])
  local lent = tonumber(ARGV[a + 8])
  local sum, slot, parts = 0, 0, {}
  if width == 0 then
    sum = tonumber(redis.call("HGET", key, "n") or "0")
    local add = math.max(floor - sum, 0) + lent
    if add > 0 then
      redis.call("HINCRBY", key, "n", add)
      redis.call("PEXPIRE", key, math.max(1, ends - now + 86400000))
      sum = sum + add
    end
  else
    slot = math.floor(now / width)
    local all = redis.call("HGETALL", key)
    for j = 1, #all, 2 do slot = math.max(slot, tonumber(all[j]) or 0) end
    for j = 1, #all, 2 do
      local s, v = tonumber(all[j]), tonumber(all[j + 1])
      if not s then
      elseif s < slot - slots then
        redis.call("HDEL", key, all[j])
      else
        sum = sum + v
        parts[#parts + 1] = {s, v}
      end
    end
    local add = math.max(floor - sum, 0) + lent
    if add > 0 then
      redis.call("HINCRBY", key, slot, add)
      redis.call("PEXPIRE", key, (slots + 2) * width)
      parts[#parts + 1] = {slot, add}
      sum = sum + add
    end
  end
  at[i], used[i] = slot, sum
  local left, need = most - sum, fixed + least * unit
  if fixed == 0 and unit == 0 then
  elseif left < need then
    local wait, no = -1, 0
    if need > most then
      no = 1
    elseif width == 0 then
      wait = ends - now
    else
      table.sort(parts, function(x, y) return x[1] < y[1] end)
      local free = left
      for _, p in ipairs(parts) do
        free = free + p[2]
        if free >= need then
          wait = (p[1] + slots + 1) * width - now
          break
        end
      end
    end
    if worst == 0 or no > never or no == never and wait > after then worst, after, never = i, wait, no end
  elseif unit > 0 then
    local some = math.floor((left - fixed) / unit)
    if some < want and fixedToo == 1 then
      if tonumber(redis.call("HGET", key, "p") or "0") > now then
        if worst == 0 or never == 0 and after < 1000 then worst, after, never = i, 1000, 0 end
      end
      part[i] = true
    end
    granted = math.min(granted, some)
  end
end
local out = {"ok", now, granted}
if worst > 0 then
  out = {"no", now, worst, after, never}
  for i = 1, n do
    local width, ends = tonumber(ARGV[7 + (i - 1) * 8 + 1]), tonumber(ARGV[7 + (i - 1) * 8 + 3])
    out[#out + 1] = used[i]
    if width == 0 then out[#out + 1] = ends - now else out[#out + 1] = (at[i] + slots + 1) * width - now end
  end
  return out
end
local held = {granted}
for i = 1, n do
  local key, a = KEYS[i + 2], 7 + (i - 1) * 8
  local width, ends = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 3])
  local amount = tonumber(ARGV[a + 5]) * fixedToo + tonumber(ARGV[a + 6]) * granted
  local reset = ends - now
  if width == 0 then
    redis.call("HINCRBY", key, "n", amount)
    redis.call("PEXPIRE", key, math.max(1, ends - now + 86400000))
  else
    redis.call("HINCRBY", key, at[i], amount)
    redis.call("PEXPIRE", key, (slots + 2) * width)
    reset = (at[i] + slots + 1) * width - now
  end
  out[#out + 1], out[#out + 2], out[#out + 3] = at[i], used[i] + amount, reset
  if part[i] then redis.call("HSET", key, "p", now + tonumber(ARGV[3])) end
  held[#held + 1] = at[i] .. (part[i] and "p" or "")
end
if fixedToo == 1 then redis.call("SET", KEYS[2], table.concat(held, " "), "PX", ARGV[3]) end
return out
`)

// settleScript settles a lease. Nothing is given back of a lease that is not there any
// more: it was settled, or the server forgot what it stands for.
//
// KEYS: lease, counters. ARGV: slots, whether to undo all that the lease holds; then of
// each counter: width, end in milliseconds, slot, back, later slot, back of it, beyond,
// fixed, unit.
var settleScript = valkey.NewScript(`
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local slots, undo = tonumber(ARGV[1]), ARGV[2] == "1"
local lease = redis.call("GET", KEYS[1])
local held = {}
if lease then
  redis.call("DEL", KEYS[1])
  for s in string.gmatch(lease, "%S+") do held[#held + 1] = s end
end
local function back(key, width, slot, n)
  if n <= 0 then return end
  if width == 0 then slot = "n" end
  n = math.min(n, tonumber(redis.call("HGET", key, slot) or "0"))
  if n > 0 then redis.call("HINCRBY", key, slot, -n) end
end
for i = 1, #KEYS - 1 do
  local key, a = KEYS[i + 1], 2 + (i - 1) * 9
  local width, ends, beyond = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 7])
  if lease and string.sub(held[i + 1], -1) == "p" then
    redis.call("HDEL", key, "p")
    held[i + 1] = string.sub(held[i + 1], 1, -2)
  end
  if undo then
    if lease then back(key, width, held[i + 1], tonumber(ARGV[a + 8]) + tonumber(ARGV[a + 9]) * tonumber(held[1])) end
  elseif lease then
    back(key, width, ARGV[a + 3], tonumber(ARGV[a + 4]))
    back(key, width, ARGV[a + 5], tonumber(ARGV[a + 6]))
  end
  if beyond > 0 then
    if width == 0 then
      redis.call("HINCRBY", key, "n", beyond)
      redis.call("PEXPIRE", key, math.max(1, ends - now + 86400000))
    else
      local slot = math.floor(now / width)
      for _, s in ipairs(redis.call("HKEYS", key)) do slot = math.max(slot, tonumber(s) or 0) end
      redis.call("HINCRBY", key, slot, beyond)
      redis.call("PEXPIRE", key, (slots + 2) * width)
    end
  end
end
return lease and 1 or 0
`)
