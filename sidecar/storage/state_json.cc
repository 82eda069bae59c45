#include "sidecar/storage/state_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace zrs::storage {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Whether protobuf prints the text as it is.
bool IsPlain(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>'; });
}

void NewLine(size_t depth, std::string* out) {
  out->push_back('\n');
  out->append(depth, ' ');
}

bool AppendMessage(const Message& message, size_t depth, std::string* out);

// False where that is left to protobuf.
bool AppendText(const std::string& text, std::string* out) {
  absl::StrAppend(out, "\"", text, "\"");
  return IsPlain(text);
}

bool AppendScalar(const Message& message, const FieldDescriptor& field, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return AppendText(reflection.GetStringReference(message, &field, &scratch), out);
    }
    case FieldDescriptor::CPPTYPE_UINT64:  // more than a JSON number can tell exactly
      absl::StrAppend(out, "\"", reflection.GetUInt64(message, &field), "\"");
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      absl::StrAppend(out, reflection.GetUInt32(message, &field));
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      absl::StrAppend(out, reflection.GetBool(message, &field) ? "true" : "false");
      return true;
    default:
      return false;
  }
}

bool AppendList(const Message& message, const FieldDescriptor& field, size_t depth, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  out->push_back('[');
  for (int i = 0; i < size; ++i) {
    if (i > 0) out->push_back(',');
    NewLine(depth + 1, out);
    std::string scratch;
    bool plain = false;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      plain = AppendMessage(reflection.GetRepeatedMessage(message, &field, i), depth + 1, out);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      plain = AppendText(reflection.GetRepeatedStringReference(message, &field, i, &scratch), out);
    }
    if (!plain) return false;
  }
  if (size > 0) NewLine(depth, out);
  out->push_back(']');
  return true;
}

bool AppendMessage(const Message& message, size_t depth, std::string* out) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  bool first = true;
  out->push_back('{');
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    if (!std::exchange(first, false)) out->push_back(',');
    NewLine(depth + 1, out);
    absl::StrAppend(out, "\"", field.json_name(), "\": ");
    const bool plain = field.is_repeated() ? AppendList(message, field, depth + 1, out)
                       : is_message
                           ? AppendMessage(message.GetReflection()->GetMessage(message, &field), depth + 1, out)
                           : AppendScalar(message, field, out);
    if (!plain) return false;
  }
  if (!first) NewLine(depth, out);
  out->push_back('}');
  return true;
}

// Reads what AppendMessage wrote, and nothing else: false for any other text, by which the message may be filled in
// part.
class PlainReader {
 public:
  explicit PlainReader(absl::string_view text) : rest_(text) {}

  absl::string_view rest() const { return rest_; }

  bool ReadMessage(size_t depth, Message* message) {
    if (!Take("{")) return false;
    bool first = true;
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message->GetDescriptor()->field(i);
      if (!TakeName(field, first, depth + 1)) {
        if (field.has_presence()) continue;
        return false;
      }
      first = false;
      if (!ReadField(field, depth + 1, message)) return false;
    }
    return (first || TakeNewLine(depth)) && Take("}");
  }

 private:
  bool Take(absl::string_view text) { return absl::ConsumePrefix(&rest_, text); }

  bool TakeNewLine(size_t depth) {
    if (!Take("\n") || rest_.substr(0, depth).find_first_not_of(' ') != absl::string_view::npos) return false;
    rest_.remove_prefix(std::min(depth, rest_.size()));
    return true;
  }

  bool TakeName(const FieldDescriptor& field, bool first, size_t depth) {
    const absl::string_view before = rest_;
    if ((first || Take(",")) && TakeNewLine(depth) && Take("\"") && Take(field.json_name()) && Take("\": "))
      return true;
    rest_ = before;
    return false;
  }

  bool TakeText(absl::string_view* text) {
    if (!Take("\"")) return false;
    *text = rest_.substr(0, rest_.find('"'));
    rest_.remove_prefix(text->size());
    return Take("\"") && IsPlain(*text);
  }

  bool ReadField(const FieldDescriptor& field, size_t depth, Message* message) {
    if (field.is_repeated()) return ReadList(field, depth, message);
    const Reflection& reflection = *message->GetReflection();
    absl::string_view text;
    uint64_t number = 0;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return ReadMessage(depth, reflection.MutableMessage(message, &field));
      case FieldDescriptor::CPPTYPE_STRING:
        if (!TakeText(&text)) return false;
        reflection.SetString(message, &field, std::string(text));
        return true;
      case FieldDescriptor::CPPTYPE_UINT64:
        if (!TakeText(&text) || !absl::SimpleAtoi(text, &number) || absl::StrCat(number) != text) return false;
        reflection.SetUInt64(message, &field, number);
        return true;
      case FieldDescriptor::CPPTYPE_UINT32:
        return ReadUint32(field, message);
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(message, &field, rest_.substr(0, 1) == "t");
        return Take("true") || Take("false");
      default:
        return false;
    }
  }

  bool ReadUint32(const FieldDescriptor& field, Message* message) {
    const absl::string_view text = rest_.substr(0, rest_.find_first_not_of("0123456789"));
    uint32_t number = 0;
    if (!absl::SimpleAtoi(text, &number) || absl::StrCat(number) != text) return false;
    message->GetReflection()->SetUInt32(message, &field, number);
    return Take(text);
  }

  bool ReadList(const FieldDescriptor& field, size_t depth, Message* message) {
    if (!Take("[")) return false;
    if (Take("]")) return true;
    const Reflection& reflection = *message->GetReflection();
    do {
      if (!TakeNewLine(depth + 1)) return false;
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        if (!ReadMessage(depth + 1, reflection.AddMessage(message, &field))) return false;
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        absl::string_view text;
        if (!TakeText(&text)) return false;
        reflection.AddString(message, &field, std::string(text));
      } else {
        return false;
      }
    } while (Take(","));
    return TakeNewLine(depth) && Take("]");
  }

  absl::string_view rest_;
};

}  // namespace

absl::StatusOr<std::string> StateToJson(const v1::StorageState& state) {
  std::string json;
  if (AppendMessage(state, 0, &json)) return json += "\n";
  json.clear();
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  const auto printed = google::protobuf::util::MessageToJsonString(state, &json, options);
  if (!printed.ok()) return absl::InternalError(printed.ToString());
  return json;
}

absl::Status StateFromJson(const std::string& json, v1::StorageState* state) {
  state->Clear();
  PlainReader reader(json);
  if (reader.ReadMessage(0, state) && reader.rest() == "\n") return absl::OkStatus();
  state->Clear();
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, state);
  return parsed.ok() ? absl::OkStatus() : absl::InvalidArgumentError(parsed.ToString());
}

uint32_t StateVersionInJson(const std::string& json) {
  v1::StorageState state;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage(json, &state, options).ok() ? state.version() : 0;
}

}  // namespace zrs::storage
