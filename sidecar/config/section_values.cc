#include "sidecar/config/section_values.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/paths.h"
#include "sidecar/config/values.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using address::Address;
using text::Quoted;

constexpr size_t kMostNameBytes = 64;
constexpr size_t kMostAddresses = 16;  // to follow
constexpr absl::string_view kWhiteSpace = " \t\r\n\v\f";

absl::Status Error(absl::string_view what, absl::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; ", remedy));
}

absl::Status UnknownKey(const Section& section, SectionKind kind, const Key& key) {
  const std::string what = absl::StrCat("unknown key ", Quoted(key.name), " in ", HeaderText(section));
  const absl::string_view retired = RetiredKeyRemedy(key.name);
  if (!retired.empty()) return ErrorAt(key.location, what, retired);
  const bool address =
      (kind == kPrimary && key.name == "replicate-to") || (kind == kSecondary && key.name == "replicate-from");
  if (address) return ErrorAt(key.location, what, "the key of that address is called address here");
  const std::string elsewhere = SectionsWithKey(key.name);
  if (!elsewhere.empty()) return ErrorAt(key.location, what, absl::StrCat("it belongs in ", elsewhere));
  const std::vector<absl::string_view> known = KeyNames(kind);
  const absl::string_view near = Nearest(key.name, known);
  if (!near.empty()) return ErrorAt(key.location, what, absl::StrCat("did you mean ", near, "?"));
  return ErrorAt(key.location, what, absl::StrCat("the keys here are ", absl::StrJoin(known, ", ")));
}

template <typename Value, typename Result>
absl::StatusOr<Value> As(absl::StatusOr<Result> result) {
  if (!result.ok()) return result.status();
  return Value(*std::move(result));
}

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "debug") return LogLevel::kDebug;
  if (lower == "info") return LogLevel::kInfo;
  if (lower == "warning" || lower == "warn") return LogLevel::kWarning;
  if (lower == "error") return LogLevel::kError;
  return Error(absl::StrCat(Quoted(text), " is not a log level"), "write debug, info, warning or error");
}

absl::StatusOr<std::string> ParseLogFile(absl::string_view text, const std::string& directory) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "stderr") return std::string();
  if (lower == "stdout") {
    return Error("messages cannot go to standard output, which is for results", "write STDERR, or a file");
  }
  return ResolvePath(text, directory, true);
}

absl::StatusOr<std::string> ParseSocket(absl::string_view text, const std::string& directory) {
  absl::StatusOr<std::string> path = ResolvePath(text, directory, true);
  if (!path.ok()) return path;
  if (absl::Status status = address::CheckSocketPath(*path); !status.ok()) return status;
  return path;
}

absl::StatusOr<Address> ParseResolvedAddress(absl::string_view text, const std::string& directory) {
  absl::StatusOr<Address> address = address::ParseAddress(text);
  if (!address.ok() || !address->is_unix()) return address;
  absl::StatusOr<std::string> path = ParseSocket(address->path, directory);
  if (!path.ok()) return path.status();
  address->path = *std::move(path);
  return address;
}

absl::StatusOr<std::vector<Address>> ParseAddresses(absl::string_view text, const std::string& directory) {
  std::vector<Address> addresses;
  for (const absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(kWhiteSpace), absl::SkipEmpty())) {
    absl::StatusOr<Address> address = ParseResolvedAddress(word, directory);
    if (!address.ok()) return address.status();
    // As where a relative path is in such a directory.
    if (address->path.find_first_of(kWhiteSpace.data()) != std::string::npos) {
      return Error(absl::StrCat("the path ", Quoted(address->path), " has white space in it, which parts addresses"),
                   "make a link to it that has none, and name that");
    }
    addresses.push_back(*std::move(address));
  }
  // The error for an empty value is that of one address.
  if (addresses.empty()) return ParseResolvedAddress(text, directory).status();
  if (addresses.size() > kMostAddresses) {
    return Error(absl::StrCat(addresses.size(), " addresses, more than ", kMostAddresses), "remove some of them");
  }
  return addresses;
}

bool IsStorageName(absl::string_view name) {
  if (name.empty() || name.size() > kMostNameBytes) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool alphanumeric = absl::ascii_islower(c) || absl::ascii_isdigit(c);
    if (!alphanumeric && (i == 0 || (c != '.' && c != '_' && c != '-'))) return false;
  }
  return true;
}

absl::StatusOr<std::string> ParseAccount(absl::string_view text) {
  if (!text.empty()) return std::string(text);
  return Error("the name is empty", "write the name or the number of a user or group of this host");
}

absl::StatusOr<std::string> ParseBlobs(absl::string_view text) {
  if (absl::AsciiStrToLower(text) == "external") return std::string("external");
  return Error(absl::StrCat(Quoted(text), " is not a way to treat blobs"), "write external, or remove the line");
}

}  // namespace

absl::StatusOr<std::string> ParseStorageName(absl::string_view text) {
  std::string name = absl::AsciiStrToLower(text);
  if (IsStorageName(name)) return name;
  return Error(absl::StrCat(Quoted(text), " cannot be the name of a storage"),
               "use up to 64 letters, digits, '.', '_' and '-', a letter or digit first");
}

absl::StatusOr<SectionValues::Value> SectionValues::Convert(const KeySpec& spec, absl::string_view text,
                                                            const std::string& directory) {
  switch (spec.type) {
    case ValueType::kAddress:
      return As<Value>(ParseResolvedAddress(text, directory));
    case ValueType::kAddresses:
      return As<Value>(ParseAddresses(text, directory));
    case ValueType::kBlobs:
      return As<Value>(ParseBlobs(text));
    case ValueType::kBoolean:
      return As<Value>(ParseBoolean(text));
    case ValueType::kByteSize:
      return As<Value>(ParseByteSize(text));
    case ValueType::kDirectory:
      return As<Value>(ResolvePath(text, directory, false));
    case ValueType::kFile:
      return As<Value>(ResolvePath(text, directory, true));
    case ValueType::kGroup:
    case ValueType::kUser:
      return As<Value>(ParseAccount(text));
    case ValueType::kInteger:
      return As<Value>(ParseInteger(text));
    case ValueType::kLogFile:
      return As<Value>(ParseLogFile(text, directory));
    case ValueType::kLogLevel:
      return As<Value>(ParseLogLevel(text));
    case ValueType::kMode:
      return As<Value>(ParseMode(text));
    case ValueType::kSocket:
      return As<Value>(ParseSocket(text, directory));
    case ValueType::kStorageName:
      return As<Value>(ParseStorageName(text));
    case ValueType::kText:
      return Value(std::string(text));
    case ValueType::kTime:
      return As<Value>(ParseTimeInterval(text));
  }
  return Error("a type that is not known", "report this as an error of zrs");
}

absl::Status SectionValues::CheckRange(const KeySpec& spec, const Value& value, const std::string& directory) {
  if (spec.least.empty()) return absl::OkStatus();
  const absl::StatusOr<Value> least = Convert(spec, spec.least, directory);
  const absl::StatusOr<Value> most = Convert(spec, spec.most, directory);
  if (!least.ok()) return least.status();
  if (!most.ok()) return most.status();
  const auto* time = std::get_if<absl::Duration>(&value);
  const bool in_range = time != nullptr
                            ? *time >= std::get<absl::Duration>(*least) && *time <= std::get<absl::Duration>(*most)
                            : std::get<int64_t>(value) >= std::get<int64_t>(*least) &&
                                  std::get<int64_t>(value) <= std::get<int64_t>(*most);
  if (in_range) return absl::OkStatus();
  return Error("the value is out of range", absl::StrCat("write one from ", spec.least, " to ", spec.most));
}

absl::Status SectionValues::AddKey(const Key& key, SectionKind kind, const std::string& directory) {
  const KeySpec* spec = FindKey(kind, key.name);
  if (spec == nullptr) return UnknownKey(*section_, kind, key);
  const auto [present, is_new] = written_.emplace(key.name, &key);
  if (!is_new) {
    return ErrorAt(key.location,
                   absl::StrCat("a second ", key.name, ", after the one at ", present->second->location.ToString()),
                   "remove one of them");
  }
  absl::StatusOr<Value> value = Convert(*spec, key.value, directory);
  absl::Status status = value.ok() ? CheckRange(*spec, *value, directory) : value.status();
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(key.location.ToString(), ": ", key.name, ": ", status.message()));
  }
  values_.insert_or_assign(key.name, *std::move(value));
  return absl::OkStatus();
}

absl::StatusOr<SectionValues> SectionValues::Read(const Section& section, SectionKind kind,
                                                  const std::string& directory) {
  SectionValues result(section);
  for (const Key& key : section.keys) {
    if (absl::Status status = result.AddKey(key, kind, directory); !status.ok()) return status;
  }
  for (const KeySpec& spec : Keys()) {
    const std::string name(spec.name);
    if ((spec.sections & kind) == 0 || result.values_.contains(name)) continue;
    if (spec.required) {
      return ErrorAt(section.location, absl::StrCat(HeaderText(section), " has no ", name),
                     absl::StrCat("add a line \"", name, " VALUE\" to it"));
    }
    if (spec.default_value.empty()) continue;
    absl::StatusOr<Value> value = Convert(spec, spec.default_value, directory);
    if (!value.ok()) return value.status();
    result.values_.emplace(name, *std::move(value));
  }
  return result;
}

const Key* SectionValues::Written(absl::string_view name) const {
  const auto found = written_.find(std::string(name));
  return found == written_.end() ? nullptr : found->second;
}

const Location& SectionValues::At(absl::string_view name) const {
  const Key* key = Written(name);
  return key == nullptr ? section_->location : key->location;
}

std::string SectionValues::Text(absl::string_view name) const {
  return values_.contains(std::string(name)) ? Get<std::string>(name) : std::string();
}

std::vector<address::Address> SectionValues::AddressesOf(absl::string_view name) const {
  return values_.contains(std::string(name)) ? Get<std::vector<Address>>(name) : std::vector<Address>();
}

address::Address SectionValues::AddressOf(absl::string_view name) const {
  return values_.contains(std::string(name)) ? Get<Address>(name) : Address();
}

}  // namespace zrs::config
