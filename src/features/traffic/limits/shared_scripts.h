// The two scripts of shared_counters.cpp, and how what they count lies in Redis. All names begin
// with "causeway:limits:".
//
//   w:KEY          hash: slot → amount; n = the newest slot, s = the sum
//   p:KEY:PERIOD   what is spent and reserved in that day or month
//   c:KEY          how many run
//   r:HOLDER       hash: reservation → JSON [[kind, key, slot, amount] or false if settled, …];
//                  # = generation: since when none of it was taken back
//   leases         sorted set: holder → when its lease ends, ms
//   u:HOLDER:ID    undone before it came, for a minute
#pragma once

#include <string>

namespace causeway::limits {

// Lua's numbers are doubles: whole up to 2^53, but tostring() writes 14 digits only.
inline const std::string kSharedPrelude = R"lua(
local P, SLOTS, MOST = 'causeway:limits:', 60, 9007199254740992
local holder, id, lease, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local function text(number) return string.format('%.0f', number) end
local now_ms = text((now - now % 1000) / 1000)
local own = P .. 'r:' .. holder

-- Into what is there; what is over is left alone.
local function put(kind, key, slot, delta)
  if kind == 'w' then
    local hash = P .. 'w:' .. key
    local newest = tonumber(redis.call('HGET', hash, 'n'))
    local at = tonumber(slot)
    if not newest or at > newest or at < newest - SLOTS then return end
    local had = tonumber(redis.call('HGET', hash, slot)) or 0
    local sum = tonumber(redis.call('HGET', hash, 's')) or 0
    delta = math.min(math.max(delta, -had), MOST - sum)
    if delta == 0 then return end
    redis.call('HINCRBY', hash, slot, text(delta))
    redis.call('HINCRBY', hash, 's', text(delta))
    return
  end
  local name = P .. kind .. ':' .. key
  if kind == 'p' then name = name .. ':' .. slot end
  local had = tonumber(redis.call('GET', name))
  if not had then return end
  delta = math.min(math.max(delta, -had), MOST - had)
  if had + delta == 0 and kind == 'c' then
    redis.call('DEL', name)
  elseif delta ~= 0 then
    redis.call('INCRBY', name, text(delta))
  end
end

local function renew()
  redis.call('ZADD', P .. 'leases', text(tonumber(now_ms) + lease), holder)
end

-- A part of what one holder had whose lease is over: a call stays short.
local function take_back()
  local dead = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', '(' .. now_ms, 'LIMIT', 0, 1)[1]
  if not dead then return end
  local hash = P .. 'r:' .. dead
  redis.call('HDEL', hash, '#')
  local found = redis.call('HSCAN', hash, '0', 'COUNT', 50)[2]
  for i = 1, #found, 2 do
    for _, part in ipairs(cjson.decode(found[i + 1])) do
      if part then put(part[1], part[2], part[3], -tonumber(part[4])) end
    end
    redis.call('HDEL', hash, found[i])
  end
  if redis.call('EXISTS', hash) == 0 then redis.call('ZREM', P .. 'leases', dead) end
end
)lua";

// ARGV: holder, id, lease, now, then of each: kind, key, most, amount, window or ttl in ms, period.
// Answers 1, 0 (refused) or 2 (undone before), the first that refuses, the generation; then of
// each: used, wait in ms, slot.
inline const std::string kReserve = kSharedPrelude + R"lua(
renew()
take_back()
if redis.call('EXISTS', P .. 'u:' .. holder .. ':' .. id) == 1 then return {2} end

-- Sum, slot, length of a slot in µs; lets go what has left the window.
local function window(hash, ms)
  local length = math.floor(ms * 1000 / SLOTS)
  local slot = (now - now % length) / length
  local newest, sum = unpack(redis.call('HMGET', hash, 'n', 's'))
  newest, sum = tonumber(newest), tonumber(sum) or 0
  if newest and newest - slot > SLOTS then  -- the clock was set back by more than the window
    redis.call('DEL', hash)
    return 0, slot, length
  end
  if not newest then return 0, slot, length end
  if slot <= newest then return sum, newest, length end
  local all, gone = redis.call('HGETALL', hash), {}
  sum = 0
  for i = 1, #all, 2 do
    local at = tonumber(all[i])
    if at and at < slot - SLOTS then
      gone[#gone + 1] = all[i]
    elseif at then
      sum = sum + tonumber(all[i + 1])
    end
  end
  if #gone > 0 then redis.call('HDEL', hash, unpack(gone)) end
  redis.call('HSET', hash, 'n', text(slot), 's', text(sum))
  return sum, slot, length
end

-- Until the sum has come down to `left`, in ms.
local function wait_of(hash, left, sum, length)
  local all, slots = redis.call('HGETALL', hash), {}
  for i = 1, #all, 2 do
    local at = tonumber(all[i])
    if at then slots[#slots + 1] = {at, tonumber(all[i + 1])} end
  end
  table.sort(slots, function(a, b) return a[1] < b[1] end)
  for _, one in ipairs(slots) do
    sum = sum - one[2]
    if sum <= left then return math.ceil(((one[1] + SLOTS + 1) * length - now) / 1000) end
  end
  return -1
end

local wanted, answer, refused, before = {}, {0, 0, ''}, 0, {}
for at = 5, #ARGV, 6 do
  local one = {kind = ARGV[at], key = ARGV[at + 1], most = tonumber(ARGV[at + 2]),
               amount = tonumber(ARGV[at + 3]), ms = tonumber(ARGV[at + 4]), slot = ARGV[at + 5]}
  one.name = P .. one.kind .. ':' .. one.key
  if one.kind == 'p' then one.name = one.name .. ':' .. one.slot end
  local also = before[one.name] or 0  -- the same counter twice in one request
  before[one.name] = also + one.amount
  local left, wait = one.most - one.amount - also, 0
  if one.kind == 'w' then
    local slot
    one.used, slot, one.length = window(one.name, one.ms)
    one.slot = text(slot)
  else
    one.used = tonumber(redis.call('GET', one.name)) or 0
  end
  if one.used > left then
    if refused == 0 then refused = #wanted + 1 end
    if left < 0 then
      wait = -1
    elseif one.kind == 'w' then
      wait = wait_of(one.name, left, one.used, one.length)
    else
      wait = one.kind == 'p' and one.ms or -1
    end
  end
  one.wait = wait
  wanted[#wanted + 1] = one
end

if refused == 0 then
  local record = {}
  for i, one in ipairs(wanted) do
    if one.kind == 'w' then
      redis.call('HSET', one.name, 'n', one.slot)
      redis.call('HINCRBY', one.name, one.slot, text(one.amount))
      one.used = redis.call('HINCRBY', one.name, 's', text(one.amount))
      redis.call('PEXPIRE', one.name, text(one.ms + math.ceil(one.ms / 20)))
    else
      one.used = redis.call('INCRBY', one.name, text(one.amount))
      if one.kind == 'p' then redis.call('PEXPIRE', one.name, text(one.ms + 60000)) end
    end
    if one.used >= one.most then
      if one.kind == 'w' then
        one.wait = wait_of(one.name, one.most - 1, one.used, one.length)
      else
        one.wait = one.kind == 'p' and one.ms or -1
      end
    end
    record[i] = {one.kind, one.key, one.slot, text(one.amount)}
  end
  redis.call('HSETNX', own, '#', text(now))
  redis.call('HSET', own, id, cjson.encode(record))
  answer[1], answer[3] = 1, redis.call('HGET', own, '#')
end
answer[2] = refused
for _, one in ipairs(wanted) do
  answer[#answer + 1] = one.used
  answer[#answer + 1] = one.wait
  answer[#answer + 1] = one.slot
end
return answer
)lua";

// ARGV: holder, id, lease, now, mode ("settle", "undo", "beat"), generation, then of each part:
// kind, key, slot, real ("" = later). Answers 1, 0 where nothing was to be done, 2 where it had
// been taken back and what was really used was counted anew.
inline const std::string kSettle = kSharedPrelude + R"lua(
local mode, generation = ARGV[5], ARGV[6]
if mode == 'beat' then
  if redis.call('EXISTS', own) == 1 then renew() end
  take_back()
  return 0
end
renew()
take_back()
local record = redis.call('HGET', own, id)
record = record and cjson.decode(record)

if mode == 'undo' then
  if not record then
    redis.call('SET', P .. 'u:' .. holder .. ':' .. id, '1', 'PX', 60000)
    return 0
  end
  for _, part in ipairs(record) do
    if part then put(part[1], part[2], part[3], -tonumber(part[4])) end
  end
  redis.call('HDEL', own, id)
  return 1
end

if record then
  local left = false
  for i, part in ipairs(record) do
    local real = ARGV[7 + (i - 1) * 4 + 3]
    if part and real and real ~= '' then
      put(part[1], part[2], part[3], tonumber(real) - tonumber(part[4]))
      record[i] = false
    elseif part then
      left = true
    end
  end
  if left then
    redis.call('HSET', own, id, cjson.encode(record))
  else
    redis.call('HDEL', own, id)
  end
  return 1
end

if redis.call('HGET', own, '#') == generation then return 0 end  -- asked again
local parts = ''
for at = 7, #ARGV, 4 do parts = parts .. (ARGV[at + 3] == '' and '0' or '1') end
local once = P .. 'u:' .. holder .. ':' .. id .. ':' .. parts
if not redis.call('SET', once, '1', 'PX', 60000, 'NX') then return 0 end
for at = 7, #ARGV, 4 do
  local real = tonumber(ARGV[at + 3])
  if real and real > 0 and ARGV[at] ~= 'c' then put(ARGV[at], ARGV[at + 1], ARGV[at + 2], real) end
end
return 2
)lua";

}  // namespace causeway::limits
