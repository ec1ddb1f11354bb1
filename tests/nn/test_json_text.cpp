// JSON of files, within bounds.
#include "nn/json_text.h"

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("json: lists and objects within one another, as deep as is read and deeper") {
  const auto nested = [](int depth, const std::string& open, const std::string& close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  for (const auto& [open, close] :
       {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":", "}"}}) {
    CHECK(error_of([&, o = open, c = close] { parse_json(nested(kDeepestJson, o, c)); }) ==
          "no error");
    for (const int depth : {kDeepestJson + 1, 60'000, 1'000'000}) {
      const std::string text = nested(depth, open, close);
      CHECK(error_of([&] { parse_json(text); }).find("deep") != std::string::npos);
      CHECK(error_of([&] { parse_ordered_json(text); }).find("deep") != std::string::npos);
      CHECK(json_or_null(text).is_null());
    }
  }
  CHECK(parse_json(R"(["[[[[", "\\", "\"]]", {}])")[0] == "[[[[");
  CHECK(json_or_null("[1,").is_null());
  CHECK(json_text(parse_ordered_json(R"({"b":1,"a":[true,null]})")) ==
        R"({"b":1,"a":[true,null]})");
  CHECK(json_text(nlohmann::json("\xff")) == "\"\xef\xbf\xbd\"");
}
