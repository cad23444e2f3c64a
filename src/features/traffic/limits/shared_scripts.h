// The two scripts of shared_counters.cpp, and how what they count lies in Redis. All names begin
// with "causeway:limits:".
//
//   w:KEY          hash: slot → amount; n = the newest slot, s = the sum; d = when the next one of
//                  those that are spread is due, µs
//   p:KEY:END      hash, of the day or month that ends then (seconds of the epoch): r = what is
//                  reserved, s = what is spent; @REPLICA = what of it that one has told
//   c:KEY          how many run
//   r:HOLDER       hash: reservation → JSON [[kind, key, slot or end, amount, spacing in µs] or
//                  false if settled, …]
//   leases         sorted set: holder → when its lease ends, ms
//   replicas       sorted set: replica → when it is taken for gone, ms
//   epoch          since when Redis has this data
//   u:HOLDER:ID    undone before it came, for a minute
//   o:HOLDER:ID    what came with that call of windows, taken there without asking: JSON [[key,
//   slot,
//                  amount], …], for ten minutes, so that an undo takes it back
//   t:HOLDER:ID    told, for ten minutes: a second time it changes nothing
//
// What is spent is told as the replica's own total, never as a difference: telling it again, late
// or out of order changes nothing, and a Redis that has lost its data is told all of it again.
#pragma once

#include <string>

namespace causeway::limits {

// Lua's numbers are doubles: whole up to 2^53, but tostring() writes 14 digits only.
inline const std::string kSharedPrelude = R"lua(
local P, SLOTS, MOST = 'causeway:limits:', 60, 9007199254740992
local holder, id, lease, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local replica = '@' .. ARGV[5]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local function text(number) return string.format('%.0f', number + 0) end  -- never "-0"
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
  if kind == 'p' then
    name = name .. ':' .. slot
    local had = tonumber(redis.call('HGET', name, 'r'))
    if had then redis.call('HINCRBY', name, 'r', text(math.max(delta, -had))) end
    return
  end
  local had = tonumber(redis.call('GET', name))
  if not had then return end
  delta = math.min(math.max(delta, -had), MOST - had)
  if had + delta == 0 then
    redis.call('DEL', name)
  elseif delta ~= 0 then
    redis.call('INCRBY', name, text(delta))
  end
end

-- All of one reservation's part.
local function give_back(part)
  put(part[1], part[2], part[3], -tonumber(part[4]))
  local spacing = tonumber(part[5]) or 0
  if spacing > 0 and redis.call('HEXISTS', P .. 'w:' .. part[2], 'd') == 1 then
    redis.call('HINCRBY', P .. 'w:' .. part[2], 'd', text(-spacing))
  end
end

local function left_ms(ends) return math.max(0, tonumber(ends) * 1000 - tonumber(now_ms)) end

-- What this replica has spent in a period, in all.
local function spend(key, ends, total)
  local name, left = P .. 'p:' .. key .. ':' .. ends, left_ms(ends)
  local more = total - (tonumber(redis.call('HGET', name, replica)) or 0)
  if more <= 0 or left == 0 then return end
  local spent = tonumber(redis.call('HGET', name, 's')) or 0
  redis.call('HINCRBY', name, 's', text(math.min(more, MOST - spent)))
  redis.call('HSET', name, replica, text(total))
  redis.call('PEXPIRE', name, text(left + 60000))
end

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

-- Into the newest slot; the sum.
local function take(hash, slot, ms, amount)
  redis.call('HSET', hash, 'n', slot)
  redis.call('HINCRBY', hash, slot, text(amount))
  redis.call('PEXPIRE', hash, text(ms + math.ceil(ms / 20)))
  return redis.call('HINCRBY', hash, 's', text(amount))
end

-- What was taken there without asking, then how it stands: sum, slot, length of a slot.
local function owe(hash, ms, amount)
  local sum, slot, length = window(hash, ms)
  local owed = math.min(amount, MOST - sum)
  if owed > 0 then sum = take(hash, text(slot), ms, owed) end
  return sum, slot, length
end

local function renew()
  redis.call('ZADD', P .. 'leases', text(tonumber(now_ms) + lease), holder)
end

-- A part of what one holder had whose lease is over: a call stays short. What it took of windows may
-- have been sent, and is soon forgotten there anyway.
local function take_back()
  local dead = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', '(' .. now_ms, 'LIMIT', 0, 1)[1]
  if not dead then return end
  local hash = P .. 'r:' .. dead
  local found = redis.call('HSCAN', hash, '0', 'COUNT', 50)[2]
  for i = 1, #found, 2 do
    for _, part in ipairs(cjson.decode(found[i + 1])) do
      if part and part[1] ~= 'w' then give_back(part) end
    end
    redis.call('HDEL', hash, found[i])
  end
  if redis.call('EXISTS', hash) == 0 then redis.call('ZREM', P .. 'leases', dead) end
end
)lua";

// ARGV: holder, id, lease, now, replica, then of each: kind, key, most, amount, window in ms, end
// of the period, what is to be told (of a window: what was taken there without Redis; of a period:
// the replica's total), burst. Answers 1, 0 (refused) or 2 (undone before), the first that refuses;
// then of each: used, wait in ms.
inline const std::string kReserve = kSharedPrelude + R"lua(
renew()
take_back()
if redis.call('EXISTS', P .. 'u:' .. holder .. ':' .. id) == 1 then return {2} end

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

local wanted, answer, refused, before, owed = {}, {0, 0}, 0, {}, {}
for at = 6, #ARGV, 8 do
  local one = {kind = ARGV[at], key = ARGV[at + 1], most = tonumber(ARGV[at + 2]),
               amount = tonumber(ARGV[at + 3]), ms = tonumber(ARGV[at + 4]), slot = ARGV[at + 5],
               told = tonumber(ARGV[at + 6]), burst = tonumber(ARGV[at + 7]), spacing = 0}
  one.name = P .. one.kind .. ':' .. one.key
  if one.kind == 'p' then one.name = one.name .. ':' .. one.slot end
  local also = before[one.name] or 0  -- the same counter twice in one request
  before[one.name] = also + one.amount
  local left, wait = one.most - one.amount - also, 0
  if one.kind == 'w' then
    local slot
    one.used, slot, one.length = owe(one.name, one.ms, one.told)
    one.slot = text(slot)
    if one.told > 0 then owed[#owed + 1] = {one.key, one.slot, text(one.told)} end
    if one.burst > 0 then
      one.spacing = math.ceil(one.ms * 1000 / one.most)
      one.due = math.max(tonumber(redis.call('HGET', one.name, 'd')) or 0, now)
    end
  elseif one.kind == 'p' then
    spend(one.key, one.slot, one.told)
    local reserved, spent = unpack(redis.call('HMGET', one.name, 'r', 's'))
    one.used = (tonumber(reserved) or 0) + (tonumber(spent) or 0)
  else
    one.used = tonumber(redis.call('GET', one.name)) or 0
  end
  local early = one.spacing > 0 and one.due - now - one.spacing * (one.burst - 1) or 0
  if one.used > left then
    if left < 0 then
      wait = -1
    elseif one.kind == 'w' then
      wait = wait_of(one.name, left, one.used, one.length)
    else
      wait = one.kind == 'p' and left_ms(one.slot) or -1
    end
  elseif early > 0 then
    wait = math.ceil(early / 1000)
  end
  if refused == 0 and (one.used > left or early > 0) then refused = #wanted + 1 end
  one.wait = wait
  wanted[#wanted + 1] = one
end
if #owed > 0 then
  redis.call('SET', P .. 'o:' .. holder .. ':' .. id, cjson.encode(owed), 'PX', 600000)
end

if refused == 0 then
  local record = {}
  for i, one in ipairs(wanted) do
    if one.kind == 'w' then
      one.used = take(one.name, one.slot, one.ms, one.amount)
      if one.spacing > 0 then redis.call('HSET', one.name, 'd', text(one.due + one.spacing)) end
    elseif one.kind == 'p' then
      redis.call('HINCRBY', one.name, 'r', text(one.amount))
      redis.call('PEXPIRE', one.name, text(left_ms(one.slot) + 60000))
      one.used = one.used + one.amount
    else
      one.used = redis.call('INCRBY', one.name, text(one.amount))
    end
    if one.used >= one.most then
      if one.kind == 'w' then
        one.wait = wait_of(one.name, one.most - 1, one.used, one.length)
      else
        one.wait = one.kind == 'p' and left_ms(one.slot) or -1
      end
    end
    record[i] = {one.kind, one.key, one.slot, text(one.amount), one.spacing}
  end
  redis.call('HSET', own, id, cjson.encode(record))
  answer[1] = 1
end
answer[2] = refused
for _, one in ipairs(wanted) do
  answer[#answer + 1] = one.used
  answer[#answer + 1] = one.wait
end
return answer
)lua";

// ARGV: holder, id, lease, now, replica, mode ("settle", "undo", "tell"), then of each part: kind,
// key, end of the period, real ("" = later; of periods the replica's total); to tell also of
// windows key, length in ms, what was taken there without asking (with an id of its own, so that it
// counts once). Answers 1, or 0 where nothing is known of it: settled or told before, or taken
// back.
inline const std::string kSettle = kSharedPrelude + R"lua(
local mode = ARGV[6]
if mode == 'tell' and id ~= '' and
    not redis.call('SET', P .. 't:' .. holder .. ':' .. id, '1', 'NX', 'PX', 600000) then
  return 0
end
for at = 7, #ARGV, 4 do
  local total = tonumber(ARGV[at + 3])
  if total and ARGV[at] == 'p' then
    spend(ARGV[at + 1], ARGV[at + 2], total)
  elseif total and mode == 'tell' then
    owe(P .. 'w:' .. ARGV[at + 1], tonumber(ARGV[at + 2]), total)
  end
end
if mode == 'tell' then return 1 end
renew()
take_back()
local record = redis.call('HGET', own, id)
record = record and cjson.decode(record)

if mode == 'undo' then
  local name = P .. 'o:' .. holder .. ':' .. id
  local owed = redis.call('GET', name)
  if owed then
    for _, one in ipairs(cjson.decode(owed)) do put('w', one[1], one[2], -tonumber(one[3])) end
    redis.call('DEL', name)
  end
  if not record then
    redis.call('SET', P .. 'u:' .. holder .. ':' .. id, '1', 'PX', 60000)
    return 0
  end
  for _, part in ipairs(record) do
    if part then give_back(part) end
  end
  redis.call('HDEL', own, id)
  return 1
end

if not record then return 0 end
local left = false
for i, part in ipairs(record) do
  local real = tonumber(ARGV[7 + (i - 1) * 4 + 3])
  if part and real then
    if real == 0 or part[1] == 'p' then
      give_back(part)
    else
      put(part[1], part[2], part[3], real - tonumber(part[4]))
    end
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
)lua";

// ARGV: holder, "", lease, now, replica. Says that the holder and the replica are there; answers
// how many replicas there are and since when Redis has its data.
inline const std::string kBeat = kSharedPrelude + R"lua(
if redis.call('EXISTS', own) == 1 then renew() end
take_back()
redis.call('ZREMRANGEBYSCORE', P .. 'replicas', '-inf', now_ms)
redis.call('ZADD', P .. 'replicas', text(tonumber(now_ms) + lease), replica)
redis.call('SET', P .. 'epoch', text(now), 'NX')
return {redis.call('ZCARD', P .. 'replicas'), redis.call('GET', P .. 'epoch')}
)lua";

}  // namespace causeway::limits
