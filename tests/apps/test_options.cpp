// Command lines as people write them, and as they should not.
#include <doctest/doctest.h>

#include <sstream>

#include "apps/common/options.h"
#include "apps/common/spelling.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using cli::Options;
using cli::UsageError;

namespace {

enum class Colour { red, green };

/// One option of every kind.
struct Settings {
  bool verbose = false, quiet = false;
  int count = 3;
  std::optional<int> limit;
  int64_t steps = 10;
  double rate = 0.0005;
  std::optional<double> vmin;
  uint64_t seed = 1;
  std::optional<std::string> output;
  std::string title = "none";
  std::string folder = "runs";
  Colour colour = Colour::red;
  std::optional<Colour> other;
  std::string axis = "-1:1:51";
  std::vector<std::string> types = {"svg", "png"};
  std::vector<std::string> forced;
  std::optional<std::vector<double>> drops;
  std::string port;
  std::string shape = "plain";
  std::vector<std::string> files;

  void add_to(Options& options) {
    options.flag("verbose,v", verbose, "say more")
        .flag("quiet,q", quiet, "say less")
        .integer("count,c", count, {0, 100}, "how many")
        .integer("limit", limit, {-5, 5}, "at most")
        .integer("steps", steps, {1, int64_t{1} << 40}, "of them")
        .real("rate", rate, {0, 1}, "how fast")
        .real("vmin", vmin, {-1e100, 1e100}, "lowest")
        .seed("seed", seed, "of random numbers")
        .file("output,o,surf-file", output, "what is written")
        .text("title", title, "TEXT", "above it")
        .folder("dir-file,folder", folder, "where")
        .choice("colour", colour,
                {{"red", Colour::red}, {"green", Colour::green}, {"rouge", Colour::red}}, "of ink")
        .choice("other", other, {{"red", Colour::red}, {"green", Colour::green}}, "of paper")
        .value("x", "FROM:TO:POINTS", "an axis", axis,
               [this](const std::string& option, const std::string& word) {
                 require(word.find(':') != word.npos, "--", option, " ", word, ": no axis");
                 axis = word;
               })
        .words("type", types, "TYPE,...", "files")
        .repeated("impl", forced, "OP=NAME", "force one")
        .reals("lr-drops", drops, "EPOCH,...", "where the rate falls")
        .value("serve", "PORT", "a page", "",
               [this](const std::string&, const std::string& word) { port = word; })
        .implicitly("8642")
        .named(
            "shape", shape,
            [](const std::string& name) {
              require(name == "plain" || name == "bent", "unknown shape '", name, "'");
              return name;
            },
            {"plain", "bent"}, "plain", "of things")
        .exclude("verbose", "quiet", "contradict each other: leave out one of them")
        .positionals("FILE", files, "results");
  }
};

Settings parsed(const std::vector<std::string>& words) {
  Settings settings;
  Options options("tool draw");
  settings.add_to(options);
  options.parse(words);
  return settings;
}

/// The message with which the words are refused; empty where they are taken.
template <class E = Error>
std::string refusal(const std::vector<std::string>& words) {
  try {
    parsed(words);
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("without words every setting keeps its default") {
  const Settings s = parsed({});
  CHECK(!s.verbose);
  CHECK(s.count == 3);
  CHECK(!s.limit);
  CHECK(!s.vmin);
  CHECK(!s.output);
  CHECK(!s.other);
  CHECK(!s.drops);
  CHECK(s.types == std::vector<std::string>{"svg", "png"});
  CHECK(s.files.empty());
}

TEST_CASE("an option of every kind") {
  const Settings s = parsed({"--verbose",  "--count",    "7",
                             "--limit=-5", "--steps",    "1099511627776",
                             "--rate",     ".25",        "--vmin",
                             "-3",         "--seed",     "18446744073709551615",
                             "--output",   "a.h5",       "--title",
                             "two words",  "--x",        "-2:2:5",
                             "--colour",   "green",      "--other",
                             "red",        "--type",     "pdf,svg",
                             "--impl",     "conv2d=a",   "--impl=gemm=b",
                             "--lr-drops", "15,22.5",    "--shape",
                             "bent",       "--dir-file", "d"});
  CHECK(s.verbose);
  CHECK(s.count == 7);
  CHECK(s.limit == -5);
  CHECK(s.steps == int64_t{1} << 40);
  CHECK(s.rate == 0.25);
  CHECK(s.vmin == -3.0);
  CHECK(s.seed == UINT64_MAX);
  CHECK(s.output == "a.h5");
  CHECK(s.title == "two words");
  CHECK(s.axis == "-2:2:5");
  CHECK(s.colour == Colour::green);
  CHECK(s.other == Colour::red);
  CHECK(s.types == std::vector<std::string>{"pdf", "svg"});
  CHECK(s.forced == std::vector<std::string>{"conv2d=a", "gemm=b"});
  CHECK(s.drops == std::vector<double>{15, 22.5});
  CHECK(s.shape == "bent");
  CHECK(s.folder == "d");
}

TEST_CASE("spellings of one option") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--output", "a-b_c.svg"},
                                                {"--output=a-b_c.svg"},
                                                {"-o", "a-b_c.svg"},
                                                {"-oa-b_c.svg"},
                                                {"-o=a-b_c.svg"},
                                                {"--surf-file", "a-b_c.svg"},
                                                {"--surf_file=a-b_c.svg"},
                                                {"-vo", "a-b_c.svg"}})
    CHECK_MESSAGE(parsed(words).output == "a-b_c.svg", words[0]);
  CHECK(parsed({"--dir_file", "my_net"}).folder == "my_net");
  CHECK(parsed({"--x=-1:1:3"}).axis == "-1:1:3");
  CHECK(parsed({"--title=a=b"}).title == "a=b");
  const Settings both = parsed({"-vc", "4"});
  CHECK(both.verbose);
  CHECK(both.count == 4);
  CHECK(parsed({"-c4"}).count == 4);
}

TEST_CASE("values are taken as they are typed") {
  CHECK(parsed({"--title", "--my_net"}).title == "--my_net");
  CHECK(parsed({"--title", "-o"}).title == "-o");
  CHECK(parsed({"--title", ""}).title.empty());
  CHECK(parsed({"--title="}).title.empty());
  CHECK(parsed({"--output="}).output == "");
  CHECK(parsed({"--title", "a,b"}).title == "a,b");
  CHECK(parsed({"--title=--count"}).title == "--count");
  CHECK(parsed({"--type="}).types.empty());
  CHECK(parsed({"--lr-drops="}).drops == std::vector<double>{});
  CHECK(parsed({"--rate", "+.5"}).rate == 0.5);
  CHECK(parsed({"--vmin", "-1e-3"}).vmin == -0.001);
}

TEST_CASE("the last one counts") {
  CHECK(parsed({"--count", "1", "--count=2"}).count == 2);
  CHECK(parsed({"-o", "a", "--surf-file", "b", "--output", "c"}).output == "c");
  CHECK(parsed({"--type", "svg", "--type", "pdf"}).types == std::vector<std::string>{"pdf"});
}

TEST_CASE("words without a hyphen") {
  const std::vector<std::string> files = {"a,b.h5", "two words.h5", "", "-"};
  CHECK(parsed({"a,b.h5", "--count", "1", "two words.h5", "", "-v", "-"}).files == files);
  CHECK(parsed({"--count", "1", "--", "--count", "-v", "--dir_file"}).files ==
        std::vector<std::string>{"--count", "-v", "--dir_file"});
  Options options("tool");
  std::string first;
  std::optional<std::string> second;
  std::vector<std::string> more;
  options.positional("A", first).positional("B", second).positionals("C", more);
  options.parse({"1", "2,2", "3", "4"});
  CHECK(first == "1");
  CHECK(second == "2,2");
  CHECK(more == std::vector<std::string>{"3", "4"});
  Options single("tool");
  single.positional("A", first);
  CHECK_THROWS_WITH_AS(single.parse({"1", "2"}), "'2' is one word too many; see tool --help",
                       UsageError);
}

TEST_CASE("an option that may stand without its value") {
  CHECK(parsed({"--serve"}).port == "8642");
  CHECK(parsed({"--serve=8000"}).port == "8000");
  const Settings text = parsed({"--serve", "s.h5"});
  CHECK(text.port == "8642");
  CHECK(text.files == std::vector<std::string>{"s.h5"});

  const auto port_of = [](const std::vector<std::string>& words, std::vector<std::string>& files) {
    int port = -1;
    Options options("tool");
    options.integer("serve", port, {0, 65535}, "").implicitly("8642").positionals("FILE", files);
    options.parse(words);
    return port;
  };
  std::vector<std::string> files;
  CHECK(port_of({"--serve"}, files) == 8642);
  CHECK(port_of({"--serve", "8000"}, files) == 8000);
  CHECK(port_of({"--serve=0"}, files) == 0);
  CHECK(files.empty());
  CHECK(port_of({"--serve", "s.h5"}, files) == 8642);
  CHECK(port_of({"8000", "--serve"}, files) == 8642);
  CHECK(files == std::vector<std::string>{"s.h5", "8000"});
}

TEST_CASE("a comma in the name of a file that exists is part of it") {
  const test::TemporaryFolder folder;
  const auto path = [&](const char* name) { return folder.file(name); };
  for (const char* name : {"a.h5", "[-1.0,1.0,51]x[-1.0,1.0,51].h5", "b", "b,c"})
    folder.write(name, "x");
  const std::string long_name = path("[-1.0,1.0,51]x[-1.0,1.0,51].h5");
  const auto list = Options::listed_files;
  CHECK(list(long_name) == std::vector{long_name});
  CHECK(list(path("a.h5") + "," + long_name + "," + path("a.h5")) ==
        std::vector{path("a.h5"), long_name, path("a.h5")});
  CHECK(list(path("b") + ",c") == std::vector{path("b,c")});
  CHECK(list(path("b") + "," + path("a.h5")) == std::vector{path("b"), path("a.h5")});
  CHECK(list(path("d") + ",e") == std::vector<std::string>{path("d"), "e"});
  CHECK(list("") == std::vector<std::string>{});
  CHECK(list(std::string(5000, 'x') + ",e").size() == 2);
}

TEST_CASE("command lines that no program takes") {
  const auto usage = refusal<UsageError>;
  CHECK(usage({"--couny", "1"}) ==
        "--couny is not an option; did you mean --count?; see tool draw --help");
  CHECK(usage({"--resolution=3"}) == "--resolution is not an option; see tool draw --help");
  CHECK(usage({"--count"}) == "--count lacks its value: --count N; see tool draw --help");
  CHECK(usage({"-c"}) == "-c lacks its value: -c N; see tool draw --help");
  CHECK(mentions(usage({"--x"}), "--x lacks its value: --x FROM:TO:POINTS"));
  CHECK(mentions(usage({"--output", "--count", "3"}), "--output lacks its value"));
  CHECK(mentions(usage({"--verbose=no"}), "--verbose takes no value"));
  CHECK(mentions(usage({"-z"}), "z"));
  CHECK(mentions(usage({"-vz"}), "z"));
  CHECK(mentions(usage({"-1:1:51"}), "-1:1:51 is not an option"));
  CHECK(mentions(usage({"-x", "-1:1:51"}), "-x is not an option; did you mean --x?"));
  CHECK(mentions(usage({"--o", "a"}), "--o is not an option; did you mean --output?"));
  CHECK(mentions(usage({"--=3"}), "is not an option"));
  CHECK(mentions(usage({"--x-axis", "-1:1:3"}), "--x-axis is not an option"));
  CHECK(mentions(usage({"---count", "3"}), "is not an option"));
  CHECK(mentions(usage({"--positional-words", "3"}), "is not an option"));
}

TEST_CASE("values that make no sense name their option") {
  CHECK(refusal({"--count", "101"}) == "--count 101 is out of range: choose 0 to 100");
  CHECK(refusal({"--count", "-1"}) == "--count -1 is out of range: choose 0 to 100");
  CHECK(refusal({"--count", "2.5"}) == "--count '2.5' is not a whole number: choose 0 to 100");
  CHECK(refusal({"-c", "1e3"}) == "--count '1e3' is not a whole number: choose 0 to 100");
  CHECK(mentions(refusal({"--count", "99999999999999999999"}), "is not a whole number"));
  CHECK(refusal({"--rate", "1.5"}) == "--rate 1.5 is out of range: choose 0 to 1");
  for (const std::string word : {"nan", "inf", "0.1x", "", " 1", "+-1", "1e999", "0x1"})
    CHECK_MESSAGE(mentions(refusal({"--vmin=" + word}), "--vmin '" + word + "' is not a number"),
                  word);
  CHECK(mentions(refusal({"--vmin=nan"}), "choose -1e100 to 1e100"));
  CHECK(mentions(refusal({"--seed", "-1"}), "--seed '-1' is no seed"));
  CHECK(mentions(refusal({"--lr-drops", "1,x"}), "--lr-drops: 'x'"));
  CHECK(mentions(refusal({"--lr-drops", "1,nan"}), "--lr-drops: 'nan'"));
  CHECK(refusal({"--shape", "round"}) == "unknown shape 'round'");
  CHECK(mentions(refusal({"--x", "junk"}), "--x junk: no axis"));
  CHECK(refusal<UsageError>({"--shape", "plain"}).empty());
}

TEST_CASE("choices have other spellings, which only the parser knows") {
  CHECK(parsed({"--colour", "rouge"}).colour == Colour::red);
  CHECK(refusal({"--colour", "blue"}) == "--colour blue: choose red or green");
  Settings settings;
  Options options("tool");
  settings.add_to(options);
  const std::string help = options.help();
  CHECK(!mentions(help, "rouge"));
  CHECK(mentions(help, "--colour red|green"));
  CHECK(mentions(help, "of ink (default: red)"));
}

TEST_CASE("options that exclude each other") {
  CHECK(refusal({"-v", "--quiet"}) ==
        "--verbose and --quiet contradict each other: leave out one of them");
  CHECK(refusal({"--quiet"}).empty());
}

TEST_CASE("given() knows what was typed") {
  Settings settings;
  Options options("tool");
  settings.add_to(options);
  options.parse({"--surf_file", "a", "--count=3", "-v"});
  CHECK(options.given("output"));
  CHECK(options.given("surf-file"));
  CHECK(options.given("count"));
  CHECK(options.given("verbose"));
  CHECK(!options.given("rate"));
  CHECK(!options.given("no-such-option"));
}

TEST_CASE("presets count unless an option is typed, wherever it stands") {
  const auto run = [](const std::vector<std::string>& words, Options& options) {
    struct {
      int epochs = 1, batch = 2;
      std::string recipe;
    } s;
    options.integer("epochs", s.epochs, {1, 100}, "").integer("batch", s.batch, {1, 100}, "");
    options.text("recipe", s.recipe, "NAME", "").presets([](const std::string& name) {
      require(name == "long", "unknown recipe ", name);
      return std::vector<std::pair<std::string, std::string>>{{"epochs", "90"}, {"batch", "7"}};
    });
    options.parse(words);
    return std::pair(s.epochs, s.batch);
  };
  Options a("tool"), b("tool"), c("tool");
  CHECK(run({"--epochs", "5", "--recipe", "long"}, a) == std::pair(5, 7));
  CHECK(!a.given("batch"));
  CHECK(a.given("recipe"));
  CHECK(run({}, b) == std::pair(1, 2));
  CHECK_THROWS_WITH(run({"--recipe", "short"}, c), "unknown recipe short");
}

TEST_CASE("an option is declared once, and with a range that its setting holds") {
  Options options("tool");
  bool flag = false;
  int narrow = 0;
  options.flag("log", flag, "");
  CHECK_THROWS_AS(options.flag("linear,log", flag, ""), Error);
  CHECK_THROWS_AS(options.integer("n", narrow, {0, int64_t{1} << 40}, ""), Error);
}

TEST_CASE("the layout of help") {
  struct {
    bool log = false, old = false;
    double rate = 1e-8, other = 10000;
    std::string output = "out.h5", name = "tanh", port, file;
  } s;
  Options options("tool draw");
  options.about("Draws\nthings.\n\n  svg   for paper\n  png   for screens\n")
      .positional("FILE", s.file, "what is drawn")
      .group("Scale")
      .flag("log", s.log, "logarithmic")
      .real("rate", s.rate, {0, 1}, "of change")
      .real("other", s.other, {0, 1e9}, "rate")
      .group("Output")
      .file("output,o,surf-file", s.output, "the file")
      .text("serve", s.port, "PORT", "a page")
      .implicitly("1")
      .shown_default("")
      .named(
          "kind", s.name, [](const std::string& n) { return n; },
          {"relu", "tanh", "gelu", "sigmoid", "softplus"}, "tanh", "the function")
      .group("Old")
      .flag("mpi", s.old, "")
      .hidden()
      .group("Scale")
      .flag("a-name-that-is-longer-than-the-column", s.log, "below")
      .epilogue("Examples:\n  tool draw a.h5\n");
  CHECK(options.help() == R"(Draws things.

  svg   for paper
  png   for screens

Usage:
  tool draw [options] FILE

Arguments:
  FILE                        what is drawn

Scale:
      --log                   logarithmic
      --rate X                of change (default: 1e-8)
      --other X               rate (default: 10000)
      --a-name-that-is-longer-than-the-column
                              below

Output:
  -o, --output FILE           the file (or --surf-file) (default: out.h5)
      --serve[=PORT]          a page
      --kind NAME             the function [relu, tanh, gelu, sigmoid, softplus] (default: tanh)

Examples:
  tool draw a.h5
)");
}

TEST_CASE("no line of help is wider than 100 characters") {
  bool flag = false;
  Options options("tool");
  std::string words;
  for (int i = 0; i < 100; ++i) words += "word ";
  options.about(words).flag("log", flag, words);
  std::istringstream help(options.help());
  size_t widest = 0;
  for (std::string line; std::getline(help, line);) widest = std::max(widest, line.size());
  CHECK(widest <= 100);
  CHECK(widest > 90);
}

TEST_CASE("numbers as one types them") {
  CHECK(Options::number_text(0.1) == "0.1");
  CHECK(Options::number_text(1e-8) == "1e-8");
  CHECK(Options::number_text(-2.5e-12) == "-2.5e-12");
  CHECK(Options::number_text(1e9) == "1e9");
  CHECK(Options::number_text(10000) == "10000");
  CHECK(Options::number_text(0.0005) == "0.0005");
  CHECK(Options::number_text(1048576.5) == "1.0485765e6");
  CHECK(Options::number_text(0) == "0");
}

TEST_CASE("words quoted for a shell") {
  CHECK(cli::shell_quoted({"landscape", "--x=-1:1:5", "a b.h5", "it's", "", "$HOME"}) ==
        "landscape --x=-1:1:5 'a b.h5' 'it'\\''s' '' '$HOME'");
}

TEST_CASE("the nearest word") {
  const std::vector<std::string> words = {"surface", "line", "plot", "compare"};
  CHECK(cli::nearest_word("surfcae", words) == "surface");
  CHECK(cli::nearest_word("lines", words) == "line");
  CHECK(cli::nearest_word("polt", words) == "plot");
  CHECK(cli::nearest_word("volume", words).empty());
  CHECK(cli::nearest_word("", words).empty());
}
