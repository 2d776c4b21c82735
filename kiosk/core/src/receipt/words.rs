//! The words on receipts, in each language.

use domain::Lang;

pub(super) struct Words {
    pub(super) credited: &'static str,
    pub(super) pending: &'static str,
    pub(super) claim: &'static str,
    pub(super) in_doubt: &'static str,
    pub(super) date: &'static str,
    pub(super) kiosk: &'static str,
    pub(super) operation: &'static str,
    pub(super) card: &'static str,
    pub(super) paid_in: &'static str,
    pub(super) cash: &'static str,
    pub(super) amount: &'static str,
    pub(super) balance: &'static str,
    pub(super) note_in_doubt: &'static str,
    pub(super) credited_besides: &'static str,
    pub(super) advice_pending: &'static str,
    pub(super) advice_claim: &'static str,
    pub(super) advice_in_doubt: &'static str,
    pub(super) keep: &'static str,
}

pub(super) const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::Es => &ES,
        Lang::Ca => &CA,
        Lang::En => &EN,
        Lang::De => &DE,
        Lang::Fr => &FR,
    }
}

static ES: Words = Words {
    credited: "Recarga de saldo",
    pending: "Recarga pendiente de abono",
    claim: "Reclamación: importe no abonado",
    in_doubt: "Reclamación: billete en comprobación",
    date: "Fecha",
    kiosk: "Cajero",
    operation: "N.º de operación",
    card: "Tarjeta",
    paid_in: "Forma de pago",
    cash: "Efectivo",
    amount: "Importe",
    balance: "Saldo de la tarjeta",
    note_in_doubt: "Billete en comprobación",
    credited_besides: "Abonado o por abonar",
    advice_pending: "Hemos recibido su dinero. El importe se abonará en su tarjeta en cuanto se \
        restablezca la conexión. Si mañana no aparece, presente este recibo en:",
    advice_claim: "Hemos recibido su dinero, pero no se ha podido abonar en la tarjeta. Presente \
        este recibo para que se lo devuelvan en:",
    advice_in_doubt: "No sabemos aún si el billete ha quedado dentro de la máquina. Si es así, se \
        le devolverá. Presente este recibo en:",
    keep: "Conserve este recibo.",
};

static CA: Words = Words {
    credited: "Recàrrega de saldo",
    pending: "Recàrrega pendent d’abonament",
    claim: "Reclamació: import no abonat",
    in_doubt: "Reclamació: bitllet en comprovació",
    date: "Data",
    kiosk: "Caixer",
    operation: "Núm. d’operació",
    card: "Targeta",
    paid_in: "Forma de pagament",
    cash: "Efectiu",
    amount: "Import",
    balance: "Saldo de la targeta",
    note_in_doubt: "Bitllet en comprovació",
    credited_besides: "Abonat o per abonar",
    advice_pending: "Hem rebut els vostres diners. L’import s’abonarà a la targeta quan es \
        restableixi la connexió. Si demà no hi apareix, presenteu aquest rebut a:",
    advice_claim: "Hem rebut els vostres diners, però no s’han pogut abonar a la targeta. \
        Presenteu aquest rebut perquè us els tornin a:",
    advice_in_doubt: "Encara no sabem si el bitllet ha quedat dins la màquina. Si és així, us el \
        tornarem. Presenteu aquest rebut a:",
    keep: "Conserveu aquest rebut.",
};

static EN: Words = Words {
    credited: "Card recharge",
    pending: "Recharge to be credited",
    claim: "Claim: amount not credited",
    in_doubt: "Claim: note being checked",
    date: "Date",
    kiosk: "Kiosk",
    operation: "Operation no.",
    card: "Card",
    paid_in: "Paid in",
    cash: "Cash",
    amount: "Amount",
    balance: "Card balance",
    note_in_doubt: "Note being checked",
    credited_besides: "Credited or to be credited",
    advice_pending: "We have received your money. It will be credited to your card as soon as the \
        connection is back. If it is not there tomorrow, please show this receipt at:",
    advice_claim: "We have received your money, but it could not be credited to your card. Please \
        show this receipt to get it back at:",
    advice_in_doubt: "We do not know yet whether the note stayed inside the machine. If it did, \
        you will get it back. Please show this receipt at:",
    keep: "Please keep this receipt.",
};

static DE: Words = Words {
    credited: "Guthaben aufgeladen",
    pending: "Aufladung noch nicht gutgeschrieben",
    claim: "Anspruch: Betrag nicht gutgeschrieben",
    in_doubt: "Anspruch: Geldschein wird geprüft",
    date: "Datum",
    kiosk: "Automat",
    operation: "Vorgangsnr.",
    card: "Karte",
    paid_in: "Zahlungsart",
    cash: "Bargeld",
    amount: "Betrag",
    balance: "Guthaben der Karte",
    note_in_doubt: "Geldschein in Prüfung",
    credited_besides: "Gutgeschrieben oder vorgemerkt",
    advice_pending: "Wir haben Ihr Geld erhalten. Der Betrag wird gutgeschrieben, sobald die \
        Verbindung wiederhergestellt ist. Fehlt er morgen noch, legen Sie diesen Beleg bitte vor:",
    advice_claim: "Wir haben Ihr Geld erhalten, konnten es der Karte aber nicht gutschreiben. \
        Gegen diesen Beleg erhalten Sie es zurück:",
    advice_in_doubt: "Wir wissen noch nicht, ob der Geldschein im Automaten geblieben ist. Wenn \
        ja, erhalten Sie ihn zurück. Legen Sie diesen Beleg bitte vor:",
    keep: "Bitte bewahren Sie diesen Beleg auf.",
};

static FR: Words = Words {
    credited: "Recharge de la carte",
    pending: "Recharge en attente de crédit",
    claim: "Réclamation : montant non crédité",
    in_doubt: "Réclamation : billet en vérification",
    date: "Date",
    kiosk: "Borne",
    operation: "N° d’opération",
    card: "Carte",
    paid_in: "Mode de paiement",
    cash: "Espèces",
    amount: "Montant",
    balance: "Solde de la carte",
    note_in_doubt: "Billet en vérification",
    credited_besides: "Crédité ou à créditer",
    advice_pending: "Nous avons reçu votre argent. Le montant sera crédité dès que la connexion \
        sera rétablie. S’il n’apparaît pas demain, présentez ce reçu à :",
    advice_claim: "Nous avons reçu votre argent, mais il n’a pas pu être crédité sur la carte. \
        Présentez ce reçu pour être remboursé à :",
    advice_in_doubt: "Nous ne savons pas encore si le billet est resté dans la machine. Si c’est \
        le cas, il vous sera rendu. Présentez ce reçu à :",
    keep: "Veuillez conserver ce reçu.",
};
