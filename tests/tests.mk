# make check: unit, golden and lint; none needs root. The containers of tests/e2e are started by contrib/check.

tests_dist = $(filter-out %/unit,$(wildcard $(srcdir)/tests/*)) \
	$(wildcard $(srcdir)/tests/unit/*.[ch]) $(srcdir)/tests/unit/run

# One program for each file of tests/unit. A wildcard, so that a new file needs no line here.
unit_tests = $(patsubst $(srcdir)/tests/unit/%.c,tests/unit/%,$(wildcard $(srcdir)/tests/unit/*.c))
unit_deps = $(wildcard tests/unit/*.d)

AM_V_UNIT = $(am__v_UNIT_@AM_V@)
am__v_UNIT_ = $(am__v_UNIT_@AM_DEFAULT_V@)
am__v_UNIT_0 = @echo "  UNIT    " $@;
am__v_UNIT_1 =
$(unit_tests): tests/unit/%: $(srcdir)/tests/unit/%.c $(floors)
	@mkdir -p tests/unit
	$(AM_V_UNIT)$(CC) $(DEFS) $(AM_CPPFLAGS) $(CRITERION_CFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) \
	-MMD -MP -MF $@.d -o $@ $< -pie $(CRT_LDFLAGS) $(LDFLAGS) $(floors) $(dynamic_libs) $(CRITERION_LIBS)
-include $(unit_deps)

pytest = PYTHONDONTWRITEBYTECODE=1 CRT_BUILD=$(abs_builddir) $(PYTHON) -m pytest -q -rs -p no:cacheprovider

.PHONY: check-unit check-golden check-lint lint unit-tests
if UNIT_TESTS
unit-tests: $(unit_tests)
check-unit: unit-tests
	CRT_SHARED="$${CRT_SHARED-$(abs_srcdir)/tests}" $(srcdir)/tests/unit/run $(unit_tests)
else
unit-tests:
check-unit:
	@echo "unit tests are left out: ./configure found no criterion (Debian: libcriterion-dev)"
endif

check-golden: all
	$(pytest) $(srcdir)/tests/golden

check-lint lint: all
	$(pytest) $(srcdir)/tests/lint

check-local: check-unit check-golden check-lint

clean-local:
	rm -f $(unit_tests) $(addsuffix .d,$(unit_tests))
