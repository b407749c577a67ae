# One ctest entry for each pytest file of the calling folder. They drive the built programs and real servers.
function(slosonde_pytests label)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/test_*.py)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    string(REGEX REPLACE "^test_" "${label}_" name ${name})
    add_test(NAME ${name} COMMAND /usr/bin/python3 -B -m pytest -q -c ${PROJECT_SOURCE_DIR}/tests/pytest.ini ${file})
    set_tests_properties(${name} PROPERTIES
      TIMEOUT 900
      LABELS ${label}
      ENVIRONMENT "SLOSONDE_BIN=${PROJECT_BINARY_DIR}/slosonde;SLOSONDE_BUILD=${PROJECT_BINARY_DIR}")
  endforeach()
endfunction()
