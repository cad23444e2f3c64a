#include "core/request.h"

#include <algorithm>
#include <cstring>

namespace causeway {

const RequestIndex::Member* RequestIndex::member(std::string_view key) const {
  for (const auto& m : members) {
    if (m.key == key) return &m;
  }
  return nullptr;
}

void RequestIndex::clear() {
  body = {};
  members.clear();
  texts.clear();
  messages.clear();
  calls.clear();
  messages_array = {};
  encode_message = nullptr;
  system_member = {};
  encode_system = nullptr;
  unescaped_keys.clear();
  model = {};
  stream = usage_wanted = has_tools = has_system_prompt = has_unread_content = base64_embeddings =
      false;
  unread.clear();
  unread_elsewhere = false;
  left_out_part = {};
  usage_wanted_value = {};
  max_tokens_values = {};
  max_tokens.reset();
  choices = 1;
  inputs = 0;
}

Request Request::fork() const {
  Request copy(*index_);
  if (!edited()) return copy;
  copy.edits_ = edits_;
  copy.edited_texts_ = edited_texts_;
  copy.inserted_ = inserted_;
  copy.dropped_ = dropped_;
  copy.order_ = order_;
  return copy;
}

// ---- texts

std::uint32_t Request::text_count() const {
  return static_cast<std::uint32_t>(changed_messages() ? order_.size() : index_->texts.size());
}

std::vector<Text> Request::texts() {
  std::vector<Text> all;
  all.reserve(text_count());
  for (std::uint32_t i = 0; i < text_count(); ++i) all.emplace_back(*this, i);
  return all;
}

Request::TextOrder Request::locate(std::uint32_t index) const {
  return changed_messages() ? order_[index] : TextOrder{false, index};
}

bool Request::is_message(const RequestIndex::TextAt& text) const {
  return text.value.begin >= index_->messages_array.begin &&
         text.value.end <= index_->messages_array.end && !index_->messages_array.empty();
}

bool Request::counts(const RequestIndex::TextAt& text) const {
  const bool dropped = is_dropped(text.where.message) && is_message(text);
  return !dropped && text.where.kind != TextKind::Other;
}

std::uint64_t Request::text_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& text : index_->texts) {
    if (counts(text)) bytes += text.value.end - text.value.begin - 2;
  }
  for (const auto& [number, edited] : edited_texts_) {
    const auto& text = index_->texts[number];
    if (!counts(text)) continue;
    const auto edit = std::ranges::lower_bound(edits_, text.value.begin, {},
                                               [](const Edit& one) { return one.range.begin; });
    if (edit == edits_.end() || edit->range.begin != text.value.begin) continue;
    bytes += edit->with.size() - 2;
    bytes -= text.value.end - text.value.begin - 2;
  }
  for (const auto& inserted : inserted_) bytes += inserted.message.text.size();
  return bytes;
}

void Request::rebuild_order() {
  order_.clear();
  std::size_t place = 0;  // what was inserted in front of it has been placed
  const auto place_inserted = [&](std::size_t up_to) {
    for (; place <= up_to; ++place) {
      for (std::uint32_t k = 0; k < inserted_.size(); ++k) {
        if (inserted_[k].at == place && !is_apart(inserted_[k])) order_.push_back({true, k});
      }
    }
  };
  const ByteRange system = system_range();
  const bool behind_messages = system.begin >= index_->messages_array.end;
  const auto place_apart = [&](bool in_front) {
    if (behind_messages) place_inserted(index_->messages.size());
    for (std::uint32_t k = 0; k < inserted_.size(); ++k) {
      if (is_apart(inserted_[k]) && (inserted_[k].at == 0) == in_front) order_.push_back({true, k});
    }
  };
  int apart = 0;  // 1: those in front of the system prompt are placed, 2: all
  for (std::uint32_t i = 0; i < index_->texts.size(); ++i) {
    const auto& text = index_->texts[i];
    if (apart == 0 && text.value.begin >= system.begin) place_apart(true), apart = 1;
    if (apart == 1 && text.value.begin >= system.end) place_apart(false), apart = 2;
    if (is_message(text)) {
      place_inserted(text.where.message);
      if (is_dropped(text.where.message)) continue;
    } else if (text.value.begin >= index_->messages_array.end) {
      place_inserted(index_->messages.size());
    }
    order_.push_back({false, i});
  }
  if (apart == 0) place_apart(true);
  if (apart < 2) place_apart(false);
  place_inserted(index_->messages.size());
}

Where Text::where() const {
  const auto at = request_->locate(index_);
  if (!at.inserted) return request_->index_->texts[at.index].where;
  const auto& inserted = request_->inserted_[at.index];
  return {inserted.message.role, TextKind::Content, static_cast<std::uint16_t>(inserted.at), 0};
}

ByteRange Text::value() const {
  const auto at = request_->locate(index_);
  return at.inserted ? ByteRange{} : request_->index_->texts[at.index].value;
}

std::string_view Text::get() const {
  const auto at = request_->locate(index_);
  if (at.inserted) return request_->inserted_[at.index].message.text;
  const auto edited = request_->edited_texts_.find(at.index);
  if (edited != request_->edited_texts_.end()) return edited->second;
  const std::string_view raw = request_->index_->bytes(request_->index_->texts[at.index].value);
  if (raw.front() != '"') return raw;
  if (std::memchr(raw.data(), '\\', raw.size()) == nullptr) return raw.substr(1, raw.size() - 2);
  const auto [decoded, fresh] = request_->decoded_.try_emplace(at.index);
  return fresh ? decode_json_string(raw, decoded->second) : decoded->second;
}

void Text::set(std::string text) {
  const auto at = request_->locate(index_);
  if (at.inserted) {
    request_->inserted_[at.index].message.text = std::move(text);
    return;
  }
  request_->put_edit(request_->index_->texts[at.index].value, encode_json_string(text));
  request_->edited_texts_.insert_or_assign(at.index, std::move(text));
}

// ---- members

// Members that a fork added are insertions of the form ,"key":value.
std::optional<std::string_view> Request::added_value(const Edit& edit, std::string_view key) {
  std::string_view with = edit.with;
  if (!edit.range.empty()) return std::nullopt;
  if (!with.starts_with(',')) return std::nullopt;
  with.remove_prefix(1);
  if (with.size() < key.size() + 3 || with.substr(1, key.size()) != key ||
      with[key.size() + 1] != '"') {
    return std::nullopt;
  }
  return with.substr(key.size() + 3);
}

std::optional<std::string_view> Request::member(std::string_view key) const {
  const auto* m = index_->member(key);
  if (!m) {
    for (const auto& edit : edits_) {
      if (const auto value = added_value(edit, key)) return value;
    }
    return std::nullopt;
  }
  for (const auto& edit : edits_) {
    if (edit.range.begin == m->value.begin && edit.range.end == m->value.end) return edit.with;
    if (edit.range.begin <= m->whole.begin && edit.range.end >= m->whole.end) return std::nullopt;
  }
  if (std::ranges::none_of(edits_, [m](const Edit& edit) { return is_inside(edit, m->value); })) {
    return index_->bytes(m->value);
  }
  Spans spans;
  bytes_between(m->value.begin, m->value.end, spans);
  std::string& value = members_.emplace_back();
  for (const auto piece : spans) value += piece;
  return value;
}

bool Request::is_inside(const Edit& edit, ByteRange value) {
  return edit.range.begin > value.begin && edit.range.end < value.end;
}

// Whether it takes the member away, name and all.
bool Request::covers(const Edit& edit, const RequestIndex::Member& member) {
  return !edit.range.empty() && edit.range.begin <= member.whole.begin &&
         edit.range.end >= member.whole.end;
}

void Request::set_member(std::string_view key, std::string json) {
  if (const auto* m = index_->member(key)) {
    if (std::ranges::any_of(edits_, [m](const Edit& edit) { return covers(edit, *m); })) {
      auto gone = removed_members();
      gone[static_cast<std::size_t>(m - index_->members.data())] = false;
      put_removals(gone);
    }
    std::erase_if(edits_, [m](const Edit& edit) { return is_inside(edit, m->value); });
    put_edit(m->value, std::move(json));
    return;
  }
  std::erase_if(edits_, [&](const Edit& edit) { return added_value(edit, key).has_value(); });
  // Behind the last member, so that what is in front of it stays byte for byte.
  const std::uint32_t at = index_->members.empty()
                               ? static_cast<std::uint32_t>(index_->body.find('{')) + 1
                               : index_->members.back().whole.end;
  Edit edit{{at, at}, "," + encode_json_string(key) + ":" + std::move(json)};
  const auto place = std::upper_bound(
      edits_.begin(), edits_.end(), at,
      [](std::uint32_t where, const Edit& other) { return where < other.range.begin; });
  edits_.insert(place, std::move(edit));
}

void Request::remove_member(std::string_view key) {
  const auto* m = index_->member(key);
  if (!m) {
    std::erase_if(edits_, [&](const Edit& edit) { return added_value(edit, key).has_value(); });
    return;
  }
  auto gone = removed_members();
  gone[static_cast<std::size_t>(m - index_->members.data())] = true;
  std::erase_if(edits_, [&](const Edit& edit) {
    return !edit.range.empty() && edit.range.begin >= m->whole.begin &&
           edit.range.end <= m->whole.end;
  });
  put_removals(gone);
}

std::vector<bool> Request::removed_members() const {
  std::vector<bool> gone;
  for (const auto& member : index_->members) {
    gone.push_back(std::ranges::any_of(edits_, [&](const Edit& e) { return covers(e, member); }));
  }
  return gone;
}

// Neighbours go in one piece. The comma behind goes with it; at the end of the object, the one in
// front instead.
void Request::put_removals(const std::vector<bool>& gone) {
  const auto& members = index_->members;
  std::erase_if(edits_, [&](const Edit& edit) {
    return std::ranges::any_of(members, [&](const auto& member) { return covers(edit, member); });
  });
  for (std::size_t first = 0; first < gone.size(); ++first) {
    if (!gone[first]) continue;
    std::size_t end = first;
    while (end < gone.size() && gone[end]) ++end;
    ByteRange range{members[first].whole.begin, members[end - 1].whole.end};
    if (end < gone.size()) {
      range.end = members[end].whole.begin;
    } else if (first > 0) {
      range.begin = members[first - 1].whole.end;
    }
    put_edit(range, {});
    first = end;
  }
}

// ---- messages

Result<void> Request::insert(std::size_t at, Message message) {
  if (!index_->encode_message) {
    return fail(ErrorKind::NotImplemented, Origin::Us, "this operation has no messages");
  }
  inserted_.push_back({std::min(at, index_->messages.size()), std::move(message), {}});
  rebuild_order();
  return {};
}

void Request::drop(std::span<const std::size_t> at) {
  bool changed = false;
  for (const std::size_t message : at) {
    if (message >= index_->messages.size() || is_dropped(message)) continue;
    dropped_.resize(index_->messages.size());
    dropped_[message] = changed = true;
  }
  if (changed) rebuild_order();
}

void Request::leave_out(std::size_t at) {
  put_edit(index_->unread[at], std::string(index_->left_out_part));
}

void Request::add_to_message(std::size_t at, std::string_view key, std::string_view json) {
  const auto& body = index_->body;
  const std::uint32_t behind_brace = index_->messages[at].value.begin + 1;
  const bool empty = body[body.find_first_not_of(" \t\r\n", behind_brace)] == '}';
  std::string member = encode_json_string(key);
  member.append(":").append(json).append(empty ? "" : ",");
  put_edit({behind_brace, behind_brace}, std::move(member));
}

// ---- bytes

void Request::set_max_tokens(std::uint64_t most) {
  for (const ByteRange value : index_->max_tokens_values) {
    const auto replaced = [value](const Edit& edit) {
      return edit.range.begin < value.begin && edit.range.end > value.end;
    };
    if (value.empty() || std::ranges::any_of(edits_, replaced)) continue;
    put_edit(value, std::to_string(most));
  }
}

void Request::put_edit(ByteRange range, std::string with) {
  const auto at =
      std::lower_bound(edits_.begin(), edits_.end(), range, [](const Edit& e, ByteRange r) {
        return e.range.begin < r.begin || (e.range.begin == r.begin && e.range.empty());
      });
  if (at != edits_.end() && at->range.begin == range.begin && at->range.end == range.end) {
    at->with = std::move(with);
  } else {
    edits_.insert(at, Edit{range, std::move(with)});
  }
}

// Whether nothing stands in the object yet: what is added then has no comma in front.
bool Request::begins_object(const Spans& out) {
  if (out.empty()) return false;
  const auto last = out.back().find_last_not_of(" \t\r\n");
  return last != std::string_view::npos && out.back()[last] == '{';
}

void Request::bytes_between(std::uint32_t begin, std::uint32_t end, Spans& out) const {
  std::uint32_t at = begin;
  const auto first = std::ranges::lower_bound(edits_, begin, {},
                                              [](const Edit& edit) { return edit.range.begin; });
  for (const auto& edit : std::ranges::subrange(first, edits_.end())) {
    // What is added at the end belongs to what follows.
    if (edit.range.begin >= end) break;
    if (edit.range.begin < at || edit.range.end > end) continue;
    if (edit.range.begin > at) out.push_back(index_->bytes({at, edit.range.begin}));
    std::string_view with = edit.with;
    if (edit.range.empty() && with.starts_with(',') && begins_object(out)) with.remove_prefix(1);
    if (!with.empty()) out.push_back(with);
    at = edit.range.end;
  }
  if (at < end) out.push_back(index_->bytes({at, end}));
}

bool Request::is_apart(const Inserted& inserted) const {
  const Role role = inserted.message.role;
  return index_->encode_system && (role == Role::System || role == Role::Developer);
}

// Where the system prompt stands; where there is none, the place of the member that is added: in
// front of all others, since behind them is where set_member() adds.
ByteRange Request::system_range() const {
  if (const auto* member = index_->member(index_->system_member)) return member->value;
  const auto front = static_cast<std::uint32_t>(index_->body.find('{')) + 1;
  return {front, front};
}

void Request::system_bytes(Spans& out) const {
  RequestIndex::Texts before, behind;
  for (const auto& inserted : inserted_) {
    if (!is_apart(inserted)) continue;
    (inserted.at == 0 ? before : behind).push_back(inserted.message.text);
  }
  const ByteRange range = system_range();
  Spans spans;
  bytes_between(range.begin, range.end, spans);
  std::string value;
  for (const auto piece : spans) value += piece;
  system_ = index_->encode_system(value, before, behind);
  if (range.empty()) system_ = encode_json_string(index_->system_member) + ":" + system_ + ",";
  out.push_back(system_);
}

void Request::messages_bytes(Spans& out) const {
  bool first = true;
  const auto separate = [&] {
    out.push_back(first ? "[" : ",");
    first = false;
  };
  const auto put_inserted = [&](std::size_t at) {
    for (const auto& inserted : inserted_) {
      if (inserted.at != at || is_apart(inserted)) continue;
      separate();
      inserted.encoded = index_->encode_message(inserted.message);
      out.push_back(inserted.encoded);
    }
  };
  for (std::size_t i = 0; i < index_->messages.size(); ++i) {
    put_inserted(i);
    if (is_dropped(i)) continue;
    separate();
    const auto range = index_->messages[i].value;
    bytes_between(range.begin, range.end, out);
  }
  put_inserted(index_->messages.size());
  out.push_back(first ? "[]" : "]");
}

void Request::bytes(Spans& out) const {
  const auto size = static_cast<std::uint32_t>(index_->body.size());
  if (!changed_messages()) {
    if (edits_.empty()) {
      out.push_back(index_->body);
    } else {
      bytes_between(0, size, out);
    }
    return;
  }
  const auto array = index_->messages_array;
  const bool apart = std::any_of(inserted_.begin(), inserted_.end(),
                                 [this](const Inserted& inserted) { return is_apart(inserted); });
  const auto system = system_range();
  const bool in_front = apart && system.begin < array.begin;
  if (in_front) {
    bytes_between(0, system.begin, out);
    system_bytes(out);
  }
  bytes_between(in_front ? system.end : 0, array.begin, out);
  messages_bytes(out);
  if (apart && !in_front) {
    bytes_between(array.end, system.begin, out);
    system_bytes(out);
  }
  bytes_between(apart && !in_front ? system.end : array.end, size, out);
}

std::string Request::joined() const {
  Spans spans;
  bytes(spans);
  std::string all;
  for (const auto piece : spans) all += piece;
  return all;
}

}  // namespace causeway
