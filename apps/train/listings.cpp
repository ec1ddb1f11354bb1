#include "apps/train/listings.h"

#include "apps/common/console.h"
#include "apps/train/recipes.h"
#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "models/registry.h"

namespace topograd {

void list_models() {
  const auto cell = [](const std::string& content, size_t width) {
    return std::string(width - content.size(), ' ') + content;
  };
  cli::out() << "name                 parameters  with shortcut A  M multiply-adds\n";
  for (const std::string& name : model_names()) {
    const Graph b = build_model({.name = name, .shortcut = 'B'});
    const Graph a = build_model({.name = name, .shortcut = 'A'});
    const int64_t with_b = b.layout().parameter_count(), with_a = a.layout().parameter_count();
    cli::out() << name << cell(text(with_b), 31 - name.size())
               << cell(with_a == with_b ? "" : text(with_a), 17)
               << cell(decimals(static_cast<double>(b.macs()) * 1e-6, 1), 17) << '\n';
  }
  cli::out() << "For images of 32x32x3 and 10 classes. Shortcuts are B unless --shortcut A asks "
                "otherwise.\nOther sizes: resnet<6n+2>, wrn<6n+2>_<k>, the original wrn<6n+4>_<k>, "
                "densenetbc<6n+4>_<k>,\nmlp<layers>; ResNets also with _noshort.\n";
}

void list_recipes() {
  for (const Recipe& recipe : recipes()) {
    cli::out() << recipe.name << ": " << recipe.about << "\n   ";
    for (const auto& [flag, setting] : recipe.flags) cli::out() << " --" << flag << ' ' << setting;
    cli::out() << '\n';
  }
  cli::out() << "What a recipe does not name has its default, and any other option of the command "
                "overrides it.\n";
}

}  // namespace topograd
