"""Which telephone numbers of the world are masked: the examples of the library phonenumbers, in three forms.

pip install phonenumbers && python benchmarks/masks.py
"""

import phonenumbers  # type: ignore[import-not-found]

from shopmill.text.phones import FEWEST_DIGITS, PHONE, mask_phones

FORMS = ("E164", "INTERNATIONAL", "NATIONAL")
KINDS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)


def main() -> None:
    examples = [
        phonenumbers.example_number_for_type(r, k) for r in sorted(phonenumbers.SUPPORTED_REGIONS) for k in KINDS
    ]
    numbers = [
        phonenumbers.format_number(example, getattr(phonenumbers.PhoneNumberFormat, form))
        for example in examples
        if example
        for form in FORMS
    ]
    long_enough = [number for number in numbers if sum(map(str.isdigit, number)) >= FEWEST_DIGITS]
    missed = [n for n in long_enough if mask_phones(f"reach me at {n}, please") != f"reach me at {PHONE}, please"]
    print(f"{len(long_enough)} numbers of {FEWEST_DIGITS} digits or more, not masked: {len(missed)}", *missed, sep="\n")


if __name__ == "__main__":
    main()
