# The quickest linker that is installed, or the compiler's own: the test programs are many.
include(CheckLinkerFlag)
foreach(linker mold lld)
  check_linker_flag(CXX -fuse-ld=${linker} TOPOGRAD_HAS_${linker})
  if(TOPOGRAD_HAS_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()
